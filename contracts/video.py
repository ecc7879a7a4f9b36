"""Films: still pictures, a narration and captions on one time base, in seconds from the first frame."""

from pydantic import Field

from contracts.model import Contract


class Shot(Contract):
    picture: str = Field(description="Artifact key of a picture.")
    duration_s: float = Field(gt=0)


class Caption(Contract):
    text: str
    start_s: float
    end_s: float


class FilmRequest(Contract):
    """The shots follow one another without gaps; so do the pieces of the narration, from the start."""

    shots: list[Shot] = Field(min_length=1)
    narration: list[str] = Field(default=[], description="Artifact keys of WAV files; none: a silent film.")
    captions: list[Caption] = []
    width: int = Field(1280, ge=128, le=1920, multiple_of=2)
    height: int = Field(720, ge=128, le=1920, multiple_of=2)
    fps: int = Field(25, ge=1, le=60)
    mark: str = Field("", description="Words shown over the opening seconds; see store/labels.")
