"""Pictures, sounds and films that callers bring."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "audio", "video"]
WORDS: dict[Kind, str] = {"image": "图片", "audio": "音频", "video": "视频"}


@dataclass(frozen=True)
class Media:
    """What a file is, once it has been decoded. What its kind has not, or the file does not tell, is None."""

    kind: Kind
    suffix: str  # with its dot, as the content wants it
    media_type: str
    duration_s: float | None = None
    width: int | None = None  # pixels, as stored: what turns a picture upright is not applied
    height: int | None = None
    sample_rate: int | None = None  # Hz; of a film: its sound's
    on_its_side: bool = False  # a picture that is a quarter turn from upright, as it says itself

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of a picture as people see it."""
        width, height = self.width or 0, self.height or 0
        return (height, width) if self.on_its_side else (width, height)
