"""Footage of a person who does not exist: the one place where who films and who learns meet."""

import numpy as np

from deployments.avatar.sound import SAMPLES
from training.avatar.footage import Footage
from training.avatar.synthetic.film import Take


def of_take(take: Take) -> Footage:
    """As it is known and not as it is measured."""
    moves = take.motion
    expression = np.stack([moves.blink, moves.brows], axis=1).astype(np.float32)
    sound = take.sound[: len(take.frames) * SAMPLES]
    return Footage(take.frames, take.behind, sound, take.camera, take.poses, expression)
