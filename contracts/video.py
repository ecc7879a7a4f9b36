"""Films: of still pictures, a narration and captions on one time base; and those that a model makes by itself.

Times are seconds from the first frame.
"""

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


class ClipRequest(Contract):
    """A silent film, from a text, or from a picture that it begins with."""

    prompt: str = Field("", max_length=20_000)
    picture: str = Field("", description="Artifact key; empty: there is none.")
    width: int = Field(1280, ge=128, le=1920, multiple_of=2)
    height: int = Field(720, ge=128, le=1920, multiple_of=2)
    fps: int = Field(24, ge=1, le=60)
    duration_s: float = Field(5.0, gt=0, allow_inf_nan=False)
    steps: int = Field(25, ge=1, le=200)
    seed: int = Field(0, ge=0, lt=2**32)
    mark: str = Field("", description="As above.")

    @property
    def frames(self) -> int:
        return max(1, round(self.duration_s * self.fps))
