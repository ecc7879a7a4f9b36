"""Pictures that the painter draws for captions, kept on the disk: drawing one takes longer than learning from it.

python -m training.starter.diffusion.pictures --folder /tmp/starter-diffusion --number 5000   (goes on where it stopped)
"""

import argparse
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deployments.image.painter.layout import compose
from deployments.image.painter.painter import markup
from deployments.image.painter.raster import pixels
from deployments.image.painter.reading import read
from training.starter.diffusion.captions import JUDGED, Caption, captions

SIDE = 256  # pixels
FILE = "pictures"


def record(side: int = SIDE) -> np.dtype[np.void]:
    """A picture, and 1 for each judged thing that it shows, named or not."""
    return np.dtype([("pixels", np.uint8, (side, side, 3)), ("shown", np.uint8, len(JUDGED))])


def drawn(caption: Caption, side: int = SIDE) -> NDArray[np.void]:
    """The record of one picture."""
    items = compose(read(caption.text, caption.seed), side, side)
    shown = {item.label for item in items}
    row = np.zeros((), record(side))
    row["pixels"] = pixels(markup(items), side, side)
    row["shown"] = [name in shown for name in JUDGED]
    return row


def draw(folder: Path, seed: int, number: int, side: int = SIDE) -> None:
    """Draws what the folder lacks of the first `number` pictures of a seed."""
    folder.mkdir(parents=True, exist_ok=True)
    size = record(side).itemsize
    with (folder / FILE).open("ab") as file:
        done = file.tell() // size
        file.truncate(done * size)  # one may have been cut short
        for caption in islice(captions(seed, done), max(number - done, 0)):
            file.write(drawn(caption, side).tobytes())


def kept(folder: Path, side: int = SIDE) -> NDArray[np.void]:
    """The records drawn so far, read from the disk when they are looked at."""
    number = (folder / FILE).stat().st_size // record(side).itemsize
    return np.memmap(folder / FILE, record(side), "r", shape=(number,))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "starter-diffusion")
    parser.add_argument("--number", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, default=SIDE)
    given = parser.parse_args()
    draw(given.folder, given.seed, given.number, given.side)
