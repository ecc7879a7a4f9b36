"""Pictures to teach with, by the painter: of each class others, the same ones for the same numbers."""

import io
import zipfile
from collections.abc import Sequence

from deployments.image.painter.layout import compose
from deployments.image.painter.painter import markup
from deployments.image.painter.raster import png
from deployments.image.painter.reading import read

CLASSES = {"猫": "a cat", "火箭": "a rocket", "城堡": "a castle"}


def drawn(prompt: str, seed: int, side: int = 96) -> bytes:
    """A PNG."""
    return png(markup(compose(read(prompt, seed), side, side)), side, side)


def class_folders(each: int, classes: Sequence[str] = tuple(CLASSES), **more: bytes) -> bytes:
    """A zip as people make it, its folders in one folder; `more`: other files, by name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for label in classes:
            for seed in range(each):
                archive.writestr(f"my_dataset/{label}/{seed}.png", drawn(CLASSES[label], seed))
        for name, content in more.items():
            archive.writestr(name, content)
    return file.getvalue()
