"""Speech recognition: what is asked and what comes back."""

from pydantic import Field

from contracts.model import Contract


class TranscriptionRequest(Contract):
    recording: str = Field(min_length=1, description="Artifact key of a sound that decodes, in any common format.")


class Transcript(Contract):
    """What was said; empty when nobody speaks."""

    text: str
    language: str = Field("", description="ISO 639-1 code of the language that was heard; empty: not known.")
