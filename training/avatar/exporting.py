"""A trained avatar as a bundle: the part of the recording that it plays in, and what is drawn of it."""

from pathlib import Path

import numpy as np
import torch

from deployments.avatar.bundle import Bundle, Manifest, Track, feather
from training.avatar.fitting import AvatarTraining
from training.avatar.footage import Boxes
from training.avatar.judging import Verdict

LOOP = 250  # frames that an avatar plays forward and back
ROOM = 0.06  # of its side, that a drawn box is larger than what it holds


def exported(training: AvatarTraining, verdict: Verdict, licence: str, consent: str, loop: int = LOOP) -> Bundle:
    """Whole, in memory."""
    footage, config = training.footage, training.config
    rows = slice(0, min(loop, len(footage.frames)))
    height, width = footage.frames.shape[1:3]
    boxes, high, wide = even(footage.region(config.drawn)[rows], height, width)
    track = Track(
        camera=torch.from_numpy(footage.camera),
        poses=torch.from_numpy(footage.poses[rows]),
        expression=training.expression[rows].cpu(),
        boxes=torch.from_numpy(boxes),
        mask=torch.from_numpy(feather(high, wide)),
    )
    manifest = Manifest(
        model=config.model,
        preset=config.preset,
        width=width,
        height=height,
        frames=len(boxes),
        shape=config.shape,
        ear_sha256=training.ear.fingerprint,
        licence=licence,
        consent=consent,
        source_sha256=footage.source_sha256,
        metrics={name: round(value, 4) for name, value in verdict._asdict().items()} | {"steps": training.step},
    )
    return Bundle(manifest, training.field, track, footage.frames[rows], footage.behind[rows])


def even(boxes: Boxes, height: int, width: int) -> tuple[Boxes, int, int]:
    """(n, 2) corners of boxes that are all as large as the largest, and their height and width."""
    size = (boxes[:, 2:] - boxes[:, :2]).max(axis=0)
    size = np.minimum(np.ceil(size * (1 + ROOM)).astype(int), [width, height])
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    corners = np.clip(np.round(middle - size / 2), 0, [width, height] - size).astype(np.int64)
    return corners, int(size[1]), int(size[0])


def save(training: AvatarTraining, verdict: Verdict, folder: Path, licence: str, consent: str = "") -> Manifest:
    return exported(training, verdict, licence, consent).save(folder)
