"""Speech recognition: what is asked and what comes back."""

from pydantic import Field

from contracts.model import Contract

SHORTEST_S, LONGEST_S = 0.3, 3_600  # of a recording; a longer one would fill the memory
LONGEST_PROMPT = 1_000  # characters


class TranscriptionRequest(Contract):
    recording: str = Field(min_length=1, description="Artifact key of a sound that decodes, in any common format.")
    language: str = Field("", description="ISO 639-1 code of what is spoken; empty: it is found out.")
    prompt: str = Field("", max_length=LONGEST_PROMPT, description="Words to expect, spelt as they are to be written.")
    words: bool = Field(False, description="Whether the times of single words are wanted.")
    temperature: float = Field(0.0, ge=0, le=1, description="Of sampling; 0: none, but where that gives nonsense.")


class Word(Contract):
    """Times are seconds from the start of the recording."""

    text: str
    start_s: float
    end_s: float


class Segment(Word):
    """A phrase; `words` where they were asked for. The rest is how sure the engine is, where it tells."""

    words: list[Word] = []
    log_probability: float = Field(0.0, description="Of a token, on average.")
    silence_probability: float = Field(0.0, description="That nobody speaks.")
    compression: float = Field(0.0, description="Ratio by which the text compresses; what is repeated does well.")
    temperature: float = 0.0


class Transcript(Contract):
    """What was said; empty when nobody speaks."""

    text: str
    language: str = Field("", description="ISO 639-1 code of the language that was heard; empty: not known.")
    duration_s: float = Field(0.0, description="Of the recording.")
    segments: list[Segment] = []
