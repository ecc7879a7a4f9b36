"""A face as numbers without a neural network: upright by its landmarks, its light evened, its edges and textures.

It knows other shots and edits of a photograph (cosines from about 0.7) from other people (nine of ten below 0.45), and
is no match for a trained recogniser.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import hog, local_binary_pattern

from contracts.sight import Point

SIDE = 112  # pixels of the face that is looked at
TEMPLATE = np.array(  # where its eyes, nose and corners of the mouth lie there (ArcFace, arXiv:1801.07698)
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
CELLS, ORIENTATIONS, PATTERNS = 8, 9, 10  # cells a side; uniform patterns of eight neighbours
BLUR, RADIUS = 2.0, 4  # pixels: else faces look alike that are merely as sharp
WEIGHT = 0.5  # of textures beside edges


def embed(pixels: NDArray[np.uint8], landmarks: Sequence[Point]) -> list[float]:
    """A vector of unit length, 1,216 numbers: `pixels` are (height, width, RGB), the landmarks as the template's."""
    face = _aligned(pixels, np.asarray(landmarks, np.float32))
    edges = hog(face, ORIENTATIONS, (SIDE // CELLS,) * 2, (1, 1), block_norm="L2-Hys").reshape(-1, ORIENTATIONS)
    return _unit(np.concatenate([_centred(edges), WEIGHT * _centred(np.sqrt(_textures(face)))])).tolist()


def _aligned(pixels: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    turn, _ = cv2.estimateAffinePartial2D(landmarks, TEMPLATE, method=cv2.LMEDS)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    face = cv2.warpAffine(grey, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    even = cv2.GaussianBlur(cv2.createCLAHE(2.0, (4, 4)).apply(face), (0, 0), BLUR)
    return np.asarray(even, np.uint8)


def _textures(face: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How often each local binary pattern occurs in each cell: (cells, patterns)."""
    patterns = local_binary_pattern(face, 8, RADIUS, "uniform").astype(int)
    cells = patterns.reshape(CELLS, SIDE // CELLS, CELLS, SIDE // CELLS).swapaxes(1, 2).reshape(CELLS * CELLS, -1)
    return np.stack([np.bincount(cell, minlength=PATTERNS) / cell.size for cell in cells])


def _centred(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without what is common to the cells, of unit length."""
    return _unit((cells - cells.mean(axis=0)).ravel())


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values / max(float(np.linalg.norm(values)), 1e-9)
