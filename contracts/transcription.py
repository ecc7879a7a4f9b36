"""Speech recognition: what is asked and what comes back."""

from pydantic import Field

from contracts.model import Contract

SHORTEST_S, LONGEST_S = 0.3, 3_600  # of a recording; a longer one would fill the memory


class TranscriptionRequest(Contract):
    recording: str = Field(min_length=1, description="Artifact key of a sound that decodes, in any common format.")
    language: str = Field("", description="ISO 639-1 code of what is spoken; empty: it is found out.")


class Word(Contract):
    """Times are seconds from the start of the recording."""

    text: str
    start_s: float
    end_s: float


class Segment(Word):
    """A phrase; `words` where the engine tells them."""

    words: list[Word] = []


class Transcript(Contract):
    """What was said; empty when nobody speaks."""

    text: str
    language: str = Field("", description="ISO 639-1 code of the language that was heard; empty: not known.")
    duration_s: float = Field(0.0, description="Of the recording.")
    segments: list[Segment] = []
