"""The painter: picture-book scenes drawn from what a prompt names, on the CPU, with no model."""

from collections.abc import Iterator
from pathlib import Path

from contracts.errors import InvalidInput
from contracts.image import ImageRequest, Picture
from contracts.model import Progress
from deployments.image.painter.frame import Item
from deployments.image.painter.layout import compose
from deployments.image.painter.reading import read


class Painter:
    """Draws the same picture for the same prompt, seed and size, and tells what is seen where.

    English and Chinese prompts; a line `Main character: …` or `主角：…` fixes the hero's looks for all pages.
    `steps`, `guidance` and `negative_prompt` mean nothing to it. A prompt that names nothing gives a landscape.
    """

    size_bytes = 0

    def load(self) -> None:
        """Load the rasteriser."""
        from deployments.image.painter import boxes, raster

        self.png, self.boxes = raster.png, boxes.boxes

    def generate(self, request: ImageRequest, picture: Path | None = None) -> Iterator[Progress | Picture]:
        """The picture, after a word of progress for each step. It changes no picture: one is invalid input."""
        if picture:
            raise InvalidInput("这个模型不能改图。", param="picture")
        width, height = request.width, request.height
        items = compose(read(request.prompt, request.seed), width, height)
        yield Progress(fraction=0.1)
        things = self.boxes(items, width, height)
        yield Progress(fraction=0.3)
        yield Picture(png=self.png(markup(items), width, height), width=width, height=height, things=things)

    def close(self) -> None:
        """Nothing is held."""


def markup(items: list[Item]) -> str:
    """The pieces one over the other."""
    return "".join(item.halo + item.body for item in items)
