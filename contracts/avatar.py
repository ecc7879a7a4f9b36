"""Avatars: somebody who is seen speaking. One clock: frame n is seen while the sound from n / FPS on is heard."""

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from contracts.model import Contract

FPS, RATE_HZ = 25, 16_000
SAMPLES = RATE_HZ // FPS  # of a frame
EARLIER, LATER = 13, 6  # frames of sound around one on which it may depend
EarName = Literal["mel", "ave", "hubert"]  # what tells an avatar of the sound: `deployments.avatar.ears`
EARS: tuple[EarName, ...] = get_args(EarName)
MOST_FRAMES = 2 * FPS  # of one request
STARTER = "starter/avatars"  # folder of the catalogue; what lies in the store has other keys


class FramesRequest(Contract):
    """A piece of sound, and which frames of it are wanted: all but the first `before` and the last `after`.

    Where there was sound before the piece, `before` is `EARLIER`; where there will be more, `after` is `LATER`: then
    frames do not depend on how a sound is cut. So a piece that is not the last one has whole frames.
    """

    avatar: str = Field(description="Key of its folder, or its place in the catalogue.")
    pcm: bytes = Field(repr=False, max_length=2 * SAMPLES * (EARLIER + MOST_FRAMES + LATER), description="16 kHz mono.")
    before: int = Field(0, ge=0, le=EARLIER)
    after: int = Field(0, ge=0, le=LATER)
    first: int = Field(0, ge=0, description="Which pose the first wanted frame has: poses follow one another.")
    every: int = Field(1, ge=1, le=FPS, description="Only each so-manieth frame, the first one among them.")
    mark: str = Field("", description="Words shown on every frame; see store/labels.")

    @model_validator(mode="after")
    def _has_frames(self) -> Self:
        if len(self.pcm) % 2 or len(self.pcm) <= 2 * SAMPLES * (self.before + self.after):
            raise ValueError("a sound of whole samples, longer than what is around the wanted frames")
        return self


class Frames(Contract):
    """JPEGs, in their order."""

    jpegs: list[bytes] = Field(repr=False)


class PerformanceRequest(Contract):
    """A film of an avatar that says a recording, as long as it is."""

    avatar: str
    sound: str = Field(description="Key of a sound file.")
    mark: str = ""
