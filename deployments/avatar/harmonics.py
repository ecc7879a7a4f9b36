"""Real spherical harmonics of directions, as polynomials (Sloan, "Efficient Spherical Harmonic Evaluation", 2013)."""

import torch
from torch import Tensor


def harmonics(directions: Tensor, degree: int) -> Tensor:
    """(m, 3) of unit length to (m, degree ** 2); `degree` up to 4."""
    x, y, z = directions.unbind(1)
    xx, yy, zz = x * x, y * y, z * z
    bands = [
        0.28209479 * torch.ones_like(x),
        *(-0.48860251 * y, 0.48860251 * z, -0.48860251 * x),
        *(1.09254843 * x * y, -1.09254843 * y * z, 0.31539157 * (3 * zz - 1), -1.09254843 * x * z),
        0.54627421 * (xx - yy),
        *(-0.59004359 * y * (3 * xx - yy), 2.89061144 * x * y * z, -0.45704580 * y * (5 * zz - 1)),
        *(0.37317633 * z * (5 * zz - 3), -0.45704580 * x * (5 * zz - 1), 1.44530572 * z * (xx - yy)),
        -0.59004359 * x * (xx - 3 * yy),
    ]
    return torch.stack(bands[: degree**2], dim=1)
