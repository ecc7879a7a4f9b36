"""A film made ready: its best part, cropped to the head and shoulders, tracked, and taken apart. Kept by content."""

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from contracts.errors import InvalidInput
from deployments.avatar.bundle import digest
from deployments.avatar.reel import Pictures
from deployments.avatar.sound import FPS, RATE_HZ, SAMPLES, Sound, windows
from training.avatar.config import AvatarConfig
from training.avatar.footage import Footage, seen_at
from training.avatar.preparation.decoding import film_of, frames_of
from training.avatar.preparation.expression import blendshapes, expression_of
from training.avatar.preparation.landmarks import Face, given, tracked
from training.avatar.preparation.layers import HULL, Masks, behind_of
from training.avatar.preparation.matching import MOST_LAG, around, matched
from training.avatar.preparation.parsing import Mask, Parsing, sha256_of
from training.avatar.preparation.pose import FOCAL, adjusted, posed
from training.avatar.preparation.preflight import Look, Report, check, preflight

VERSION = 5  # of what is made here: another one is made anew
LEVEL_DB = -15.0  # of a film's loud parts, where the voices of the platform are
AROUND = 3.1  # sides of the picture, in heights of the face as it is found
ABOVE = 0.46  # of it, that is above the middle of the face


def prepared(
    path: Path,
    config: AvatarConfig,
    find: Callable[[Pictures], list[Face]],
    cache: Path,
    landmarks: bytes = b"",
    expression: bytes = b"",
    masks: Path | None = None,
) -> tuple[Footage, Report]:
    """`landmarks`, `expression`, `masks` (a folder: `Parsing`): a caller's own, of the whole film as it is at 25 frames
    a second. `InvalidInput` says why a film will not do. The same film and settings are prepared once."""
    source = digest(path)
    channels = config.shape.expression
    facts = [VERSION, source, config.size, config.part_s, *_sha256s(landmarks, expression), channels * bool(expression)]
    facts += [sha256_of(masks)] if masks else []
    kept = cache / f"{hashlib.sha256(json.dumps(facts).encode()).hexdigest()}.npz"
    if kept.exists():
        with np.load(kept) as arrays:
            report = Report.model_validate_json(bytes(arrays["report"]))
            return Footage(**{name: arrays[name] for name in ARRAYS}, source_sha256=source, key=kept.stem), report
    report, seen, sound = preflight(path, find)
    check(report)
    sound = (sound * 10 ** ((LEVEL_DB - report.level_db) / 20)).clip(-1, 1)
    start_s = best_part(seen, sound, report.duration_s, config.part_s)
    frames, corner, scale = cropped(path, seen, start_s, config)
    rows = slice(first := round(start_s * FPS), first + len(frames))
    every = round(report.duration_s * FPS)
    heads = _heads(Parsing(masks, every), report, first, corner, scale, config.size) if masks else None
    if landmarks:
        points = np.asarray((given(landmarks, every)[rows] - corner) * np.float32(scale), np.float32)
    else:
        points = tracked(frames, find)
    felt = blendshapes(expression, every, channels)[rows] if expression else expression_of(frames, points)
    middle = (np.array([report.width, report.height]) / 2 - corner) * scale
    camera = np.array([FOCAL * max(report.width, report.height) * scale, *middle], np.float32)
    poses = posed(points, camera)
    poses = adjusted(frames, poses, camera)
    behind = behind_of(frames, seen_at(HULL, poses, camera), heads)
    heard = around(sound, start_s, len(frames))
    own = heard[MOST_LAG * SAMPLES : -MOST_LAG * SAMPLES]
    footage = Footage(frames, behind, own, camera, poses, felt, source, kept.stem)
    footage, lag = matched(footage, heard)
    taken = {"mouth_late_s": lag / FPS, "part_from_s": start_s, "part_s": len(frames) / FPS}
    report = report.model_copy(update=taken)
    _keep(footage, report, kept)
    return footage, report


ARRAYS = ("frames", "behind", "sound", "camera", "poses", "expression")


def cropped(
    path: Path, seen: Sequence[Look], start_s: float, config: AvatarConfig
) -> tuple[Pictures, NDArray[np.float32], float]:
    """Frames (n, size, size, RGB) about the head of whoever is seen, where their corner is in the film, and how much
    smaller they are."""
    boxes = np.array([look.faces[0].box for look in seen if look.faces])
    film = film_of(path)
    side = min(AROUND * float(np.median(boxes[:, 3] - boxes[:, 1])), film.width, film.height)
    middle = np.median((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0)
    corner = np.clip(middle - side * np.array([0.5, ABOVE]), 0, [film.width - side, film.height - side]).astype(int)
    end, scale = corner + int(side), config.size / int(side)
    count = int(min(config.part_s, film.duration_s - start_s) * FPS)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    made, there = np.empty((count, config.size, config.size, 3), np.uint8), 0
    for _, frame in frames_of(path, start_s, count):
        made[there] = cv2.resize(frame[corner[1] : end[1], corner[0] : end[0]], made.shape[1:3], interpolation=how)
        there += 1
    if there < FPS:
        raise InvalidInput("视频不完整，能解码的画面太少。", param="ref_video")
    return made[:there], corner.astype(np.float32), scale


def _heads(parsing: Parsing, report: Report, first: int, corner: NDArray[np.float32], scale: float, size: int) -> Masks:
    """Of the frames as they are cropped, which begin with the film's `first`."""
    (left, top), side = corner.astype(int), round(size / scale)

    def head(row: int) -> Mask:
        whole = parsing.head(first + row, report.width, report.height)[top : top + side, left : left + side]
        return cv2.resize(whole.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST).astype(bool)

    return head


def best_part(seen: Sequence[Look], sound: Sound, duration_s: float, longest_s: float) -> float:
    """Where to begin: the part in which the mouth and the sound do most, and the face is always there."""
    if duration_s <= longest_s:
        return 0.0
    starts = np.arange(0.0, duration_s - longest_s, max(1.0, longest_s / 8))
    inside = [[look for look in seen if start <= look.at_s < start + longest_s] for start in starts]
    scores = [_interest(part, sound, float(start), longest_s) for part, start in zip(inside, starts, strict=True)]
    return round(float(starts[int(np.argmax(scores))]) * FPS) / FPS  # where a frame and its sound begin together


def _interest(seen: Sequence[Look], sound: Sound, start_s: float, longest_s: float) -> float:
    there = [look for look in seen if look.faces]
    heard = sound[round(start_s * RATE_HZ) : round((start_s + longest_s) * RATE_HZ)]
    if not there or len(heard) < RATE_HZ:
        return -1.0
    variety = float(windows(heard)[::5].std(axis=0).mean())  # of sounds
    lips = float(np.std([look.mouth for look in there]))
    return (len(there) / len(seen)) ** 2 * (variety + 20 * lips)


def _sha256s(*contents: bytes) -> list[str]:
    return [hashlib.sha256(each).hexdigest() for each in contents]


def _keep(footage: Footage, report: Report, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_name(f".{uuid.uuid4().hex}.npz")
    said = np.frombuffer(report.model_dump_json().encode(), np.uint8)
    np.savez(part, report=said, **{name: getattr(footage, name) for name in ARRAYS})
    part.replace(kept)
