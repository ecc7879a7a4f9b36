"""What a film is like before anything is learnt from it, and whether that is worth trying: reasons, and what to do."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import FiniteFloat

from contracts.errors import InvalidInput
from contracts.model import Contract
from deployments.avatar.reel import Pictures
from deployments.avatar.sound import FPS, RATE_HZ, Sound
from training.avatar.preparation.decoding import Film, film_of, frames_of, sound_of
from training.avatar.preparation.landmarks import Face

LOOKS = 60  # frames that are looked at, evenly over the film
SIDE = 640  # pixels of the longer side that faces are looked for in
WHOLE_S = 60.0  # a shorter film is decoded from end to end
LEAST_S, MOST_S, LEAST_FPS, LEAST_FACE = 4.0, 1800.0, 20.0, 60.0
MOST_LOST, MOST_CROWD = 0.1, 0.1  # of the looks: without a face, with several
OTHER = 0.35  # of a face's width: a smaller one is somebody in a picture on the wall
SIDEWAYS = 0.55  # of half the eyes' distance, by which the nose is beside their middle
LEAST_DB, SILENT_DB, CLIPPED = -45.0, -50.0, 0.02
LEAST_SPEECH = 0.25  # of the film in which there is a voice


class Look(NamedTuple):
    at_s: float
    faces: list[Face]
    mouth: float  # how dark it is there, beside the skin


class Report(Contract):
    """Pixels are of the film as people see it; ratios within 0–1."""

    duration_s: FiniteFloat
    fps: FiniteFloat
    width: int
    height: int
    rotation: int = 0  # degrees by which its file has it turned
    uneven: bool = False  # its rate varies
    face_height: FiniteFloat = 0.0
    face_coverage: FiniteFloat = 0.0
    several_faces: FiniteFloat = 0.0
    turned: FiniteFloat = 0.0  # 0 towards the camera, from about 0.55 on a profile; in the median
    turn_range: FiniteFloat = 0.0
    lip_amplitude: FiniteFloat = 0.0
    level_db: FiniteFloat = -120.0
    clipped: FiniteFloat = 0.0
    voiced: FiniteFloat = 0.0
    mouth_late_s: FiniteFloat = 0.0  # than the sound, which was moved
    part_from_s: FiniteFloat = 0.0  # the part that is learnt from
    part_s: FiniteFloat = 0.0
    problems: tuple[str, ...] = ()

    def figures(self) -> dict[str, float]:
        """Beside those of the training; names begin with `film_`."""
        return {f"film_{name}": float(value) for name, value in self if name != "problems"}


def preflight(
    path: Path, find: Callable[[Pictures], list[Face]], most: int = LOOKS
) -> tuple[Report, list[Look], Sound]:
    """`most`: frames that are looked at."""
    film, sound = film_of(path), sound_of(path)
    seen = looks(path, film, find, most) if LEAST_S / 2 <= film.duration_s <= MOST_S else []
    report = reported(film, seen, sound)
    return report.model_copy(update={"problems": tuple(problems(report, len(seen)))}), seen, sound


def check(report: Report) -> None:
    """`InvalidInput` that names everything that stands against it."""
    if report.problems:
        raise InvalidInput("视频不适合训练：" + "；".join(report.problems) + "。", param="ref_video")


def looks(path: Path, film: Film, find: Callable[[Pictures], list[Face]], most: int) -> list[Look]:
    scale = min(1.0, SIDE / max(film.width, film.height))
    made = []
    for at_s, frame in _shown(path, film, most):
        small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame
        faces = [Face(_scaled(face.box, scale), face.points / np.float32(scale)) for face in find(np.asarray(small))]
        made.append(Look(at_s, faces, _mouth(frame, faces[0].points) if faces else 0.0))
    return made


def _shown(path: Path, film: Film, most: int) -> Iterator[tuple[float, Pictures]]:
    """Frames evenly over the film, and when they are seen. Of a long one, what is between is not decoded."""
    every = max(1, int(film.duration_s * FPS / most))
    if film.duration_s < WHOLE_S:
        for number, frame in frames_of(path, 0.0, most, every):
            yield number * every / FPS, frame
        return
    for at_s in np.arange(most) * (every / FPS):
        for _, frame in frames_of(path, float(at_s), 1):
            yield float(at_s), frame


def reported(film: Film, seen: Sequence[Look], sound: Sound) -> Report:
    with_face = [look for look in seen if look.faces]
    turns = [_turn(look.faces[0].points) for look in with_face]
    heights = [look.faces[0].box[3] - look.faces[0].box[1] for look in with_face]
    crowd = [look for look in with_face if any(_width(each) > OTHER * _width(look.faces[0]) for each in look.faces[1:])]
    level_db, clipped, voiced = levels(sound)
    return Report(
        duration_s=film.duration_s,
        fps=film.fps,
        width=film.width,
        height=film.height,
        rotation=film.rotation,
        uneven=film.uneven,
        face_height=float(np.median(heights)) if heights else 0.0,
        face_coverage=len(with_face) / max(1, len(seen)),
        several_faces=len(crowd) / max(1, len(with_face)),
        turned=float(np.median(np.abs(turns))) if turns else 0.0,
        turn_range=float(np.ptp(turns)) if turns else 0.0,
        lip_amplitude=float(np.std([look.mouth for look in with_face])) if with_face else 0.0,
        level_db=level_db,
        clipped=clipped,
        voiced=voiced,
    )


def problems(report: Report, seen: int) -> list[str]:
    """In Chinese: what is wrong, and what to do."""
    rules = (
        (
            report.duration_s < LEAST_S,
            f"时长只有 {report.duration_s:.1f} 秒，请提供至少 {LEAST_S:.0f} 秒、最好 1 至 5 分钟的讲话",
        ),
        (report.duration_s > MOST_S, f"时长超过 {MOST_S / 60:.0f} 分钟，请剪成 1 至 5 分钟"),
        (0 < report.fps < LEAST_FPS, f"帧率只有每秒 {report.fps:.0f} 帧，看不清口型，请以 25 帧或更高的帧率重新拍摄"),
        (seen > 0 and report.face_coverage == 0, "没有找到人脸，请使用正面、光线充足、脸部没有遮挡的视频"),
        (
            0 < report.face_coverage < 1 - MOST_LOST,
            f"只有 {report.face_coverage:.0%} 的画面能看到正面人脸，请剪去转身、侧脸、遮挡或没有人的部分",
        ),
        (report.several_faces > MOST_CROWD, "画面中有不止一张人脸，请裁剪为只有一个人"),
        (
            0 < report.face_height < LEAST_FACE,
            f"人脸高度只有 {report.face_height:.0f} 像素，至少需要 {LEAST_FACE:.0f} 像素，请靠近镜头或提高分辨率",
        ),
        (report.turned > SIDEWAYS, "视频几乎全是侧脸，请使用面向镜头的视频"),
        *_sounding(report),
    )
    return [text for wrong, text in rules if wrong]


def _sounding(report: Report) -> tuple[tuple[bool, str], ...]:
    silent = report.level_db < SILENT_DB
    return (
        (silent, "没有声音，请提供带有讲话声的视频"),
        (not silent and report.level_db < LEAST_DB, f"声音太小（{report.level_db:.0f} 分贝），请靠近话筒重新录制"),
        (report.clipped > CLIPPED, f"{report.clipped:.0%} 的声音过载失真，请降低录音音量"),
        (not silent and report.voiced < LEAST_SPEECH, "讲话太少，请使用大部分时间都在说话的视频"),
    )


def levels(sound: Sound) -> tuple[float, float, float]:
    """Level in dB of the loud parts, part of samples that are cut off, and part of the time in which there is a voice:
    louder than half the way from the softest to the loudest."""
    if len(sound) < RATE_HZ // 2:
        return -120.0, 0.0, 0.0
    frames = sound[: len(sound) // 400 * 400].reshape(-1, 400)
    decibels = 10 * np.log10(np.square(frames, dtype=np.float64).mean(axis=1) + 1e-12)
    loud = float(np.percentile(decibels, 95))
    clipped = float((np.abs(sound) > 0.99).mean())
    return loud, clipped, float((decibels > loud - 20).mean())


def _turn(points: NDArray[np.float32]) -> float:
    """How far the nose is beside the middle of the eyes, in half their distance: 0 towards the camera."""
    eyes = points[1] - points[0]
    apart = float(np.linalg.norm(eyes))
    return float((points[2] - (points[0] + points[1]) / 2) @ eyes) / max(apart * apart / 2, 1e-6)


def _mouth(frame: Pictures, points: NDArray[np.float32]) -> float:
    """How much of the mouth is far darker than the skin about it."""
    middle, wide = points[3:].mean(axis=0), float(np.linalg.norm(points[4] - points[3]))
    size = max(4, round(1.2 * wide))
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    patch = cv2.getRectSubPix(grey, (size, size), (float(middle[0]), float(middle[1]))).astype(np.float32)
    return float(np.maximum(0, 0.6 - patch / max(float(np.median(patch)), 1.0)).mean())


def _width(face: Face) -> float:
    return face.box[2] - face.box[0]


def _scaled(box: tuple[float, float, float, float], scale: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = (edge / scale for edge in box)
    return left, top, right, bottom
