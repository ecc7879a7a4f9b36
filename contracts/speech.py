"""Speech synthesis: what is asked and what comes back."""

from pydantic import Field

from contracts.model import Contract
from contracts.transcription import Transcript

SHORTEST_S, LONGEST_S = 3, 30  # of a recording, to speak in its voice
PADDING_S, ROUNDING_S = 0.2, 0.02  # what encoders add, and what a change of rate takes away


class SpeechRequest(Contract):
    text: str = Field(min_length=1, max_length=4_096)
    voice: str = Field("", description="A voice of the engine; empty is its default for the language of the text.")
    sample: str = Field("", description="Key of a recording of the voice to speak with; empty: none.")
    transcript: Transcript | None = Field(None, description="What is said in the sample; none: not known.")
    language: str = Field("", description="ISO 639-1 code of the text; empty: as it looks.")
    speed: float = Field(1.0, ge=0.25, le=4.0, description="Ratio to the natural pace.")
    pitch: float = Field(0.0, ge=-12, le=12, description="Semitones from the voice's own.")


class AudioChunk(Contract):
    """Mono 16-bit little-endian PCM, at most 1 MiB."""

    pcm: bytes = Field(repr=False)
    sample_rate: int = Field(description="Hz")
