"""A take of a person who speaks before a camera, with everything that is known of it; and the same as a film."""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deployments.avatar.reel import Pictures
from deployments.avatar.sound import FPS, RATE_HZ, Sound
from training.avatar.synthetic.head import EYE, MOUTH_Y, Face, Looks, painted, solid
from training.avatar.synthetic.light import Light, lit, normals, room, trace
from training.avatar.synthetic.speech import Line, Motion, motion, spoken
from training.avatar.synthetic.torso import background, shrunk, torso

LINES = (
    Line("Good morning, and welcome to our little studio."),
    Line("欢迎大家来到我们的直播间。"),
    Line("My name is Amy, and I am happy to show you around.", "en-us"),
    Line("这款耳机音质好，价格也很实惠。", "cmn"),
    Line("Please ask me anything you want to know about this place."),
    Line("今天天气不错，我们一起去公园走走吧。"),
    Line("We have five big rooms, a blue door and a very old clock.", "en-us"),
    Line("有什么问题，都可以随时问我。", "cmn"),
)
AT_ONCE = 1 << 17  # pixels
RHYTHMS_HZ = (0.31, 0.83, 0.23, 0.57, 0.19, 0.17, 0.29, 0.13)  # nods, turns, tilts and shifts
FOCAL, AWAY = 2.5, 2.4  # picture widths; distance in heads, for each of them
SPAN = 1.3  # before and behind a head's middle, in which it is looked for
FIVE = (  # the points that MTCNN names: eyes, nose, corners of the mouth
    (-EYE[0], EYE[1], EYE[2] - 0.11),
    (EYE[0], EYE[1], EYE[2] - 0.11),
    (0.0, 0.16, -0.74),
    (-0.15, MOUTH_Y - 0.02, -0.52),
    (0.15, MOUTH_Y - 0.02, -0.52),
)


@dataclass(frozen=True)
class Take:
    """`poses`: (n, 3, 4) from the head to the camera; `behind`: the frames without the head."""

    frames: Pictures
    behind: Pictures
    sound: Sound
    motion: Motion
    poses: NDArray[np.float32]
    camera: NDArray[np.float32]

    def points(self, heads: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, k, 2): where points of the head (k, 3) are in the pictures, in pixels."""
        seen = np.einsum("nij,kj->nki", self.poses[..., :3], heads) + self.poses[:, None, :, 3]
        return (seen[..., :2] / seen[..., 2:] * self.camera[0] + self.camera[1:]).astype(np.float32)


@dataclass(frozen=True)
class Scene:
    """`drift`: how far the lamp wanders, `noise`: of the camera, in grey levels; `fine`: rays a pixel's side; `facing`:
    degrees that the head looks past the camera; `focal`: of the lens, in picture widths; who stands as far away from it
    as to be seen as large."""

    side: int = 256
    seconds: float = 6.0
    seed: int = 0
    looks: Looks = field(default_factory=Looks)
    lines: tuple[Line, ...] = LINES
    fine: float = 1.0
    drift: float = 0.0
    noise: float = 0.0
    sway: float = 1.0
    facing: float = 0.0
    focal: float = FOCAL

    @property
    def distance(self) -> float:
        return AWAY * self.focal


def shoot(scene: Scene) -> Take:
    """The same scene gives the same take."""
    sound = spoken(scene.lines, scene.seconds)
    moves = motion(sound, scene.seed)
    count = len(moves.opening)
    poses = _poses(count, scene)
    camera = np.array([scene.focal * scene.side, scene.side / 2, scene.side * 0.46], np.float32)
    wall, body = background(scene.side, scene.seed), torso(scene)
    generator = np.random.default_rng(scene.seed)
    at_once = max(1, round(AT_ONCE / (scene.side * scene.fine) ** 2))
    frames, behind = [], []
    for numbers in np.array_split(np.arange(count), -(-count // at_once)):
        for number, head in zip(numbers, _heads(numbers, moves, poses, camera, scene), strict=True):
            back = _behind(wall, body, poses[number], camera, scene.distance)
            front = _over(back, head)
            frames.append(_bytes(front.numpy() + scene.noise / 255 * generator.standard_normal(front.shape)))
            behind.append(_bytes(back))
    return Take(np.stack(frames), np.stack(behind), sound, moves, poses, camera)


def write_film(take: Take, path: Path, fps: Fraction = Fraction(FPS), crf: int = 18, late_s: float = 0) -> None:
    """An MP4 with sound, which begins so late; at another rate than 25 each frame is the take's nearest."""
    with av.open(path, "w", format="mp4", options={"movflags": "faststart"}) as container:
        video: Any = container.add_stream("libx264", rate=fps, options={"crf": str(crf), "preset": "veryfast"})
        video.height, video.width = take.frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        audio: Any = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for number in range(int(len(take.frames) / FPS * fps)):
            at = min(round(number * FPS / fps), len(take.frames) - 1)
            frame = av.VideoFrame.from_ndarray(take.frames[at], "rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        piece = av.AudioFrame.from_ndarray(take.sound[None], format="fltp", layout="mono")
        piece.sample_rate, piece.pts = RATE_HZ, round(late_s * RATE_HZ)
        container.mux(audio.encode(piece))
        container.mux(audio.encode(None))


def _poses(count: int, scene: Scene) -> NDArray[np.float32]:
    """A head that nods and turns as if it talked to somebody."""
    phase = np.random.default_rng(scene.seed + 1).uniform(0, 2 * np.pi, 8)
    time = 2 * np.pi * np.arange(count) / FPS
    nods, nods_too, turns, turns_too, tilts, across, down, away = (
        np.sin(hz * time + each) for hz, each in zip(RHYTHMS_HZ, phase, strict=True)
    )
    angles = np.radians(np.stack([3.0 * nods + 1.5 * nods_too, 7.0 * turns + 2.0 * turns_too, 2.0 * tilts], axis=1))
    shift = np.stack([0.10 * scene.sway * across, 0.04 * scene.sway * down, scene.distance + 0.10 * away], axis=1)
    facing = np.radians([0.0, scene.facing, 0.0])
    turned = np.stack([cv2.Rodrigues(each * scene.sway + facing)[0] for each in angles])
    return np.concatenate([turned, shift[..., None]], axis=2).astype(np.float32)


def _light(number: int, scene: Scene) -> Light:
    turn = scene.drift * math.sin(number / FPS * 0.9)
    return Light(lamp=(-0.5 + turn, -0.7, -0.9 + 0.3 * turn), strength=0.85 + 0.15 * turn)


def _heads(
    numbers: NDArray[np.int64], moves: Motion, poses: NDArray[np.float32], camera: NDArray[np.float32], scene: Scene
) -> Tensor:
    """(n, side, side, 4) of these frames: colour and how much of the pixel it covers."""
    side = round(scene.side * scene.fine)
    face = Face(*(torch.from_numpy(each[numbers].astype(np.float32)) for each in moves))
    turns, shifts = torch.from_numpy(poses[numbers, :, :3]), torch.from_numpy(poses[numbers, :, 3])
    eyes = -torch.einsum("ni,nij->nj", shifts, turns)
    view = torch.einsum("ki,nij->nkj", _views(side, camera * np.float32(scene.fine)), turns)  # (n, k, 3)
    closest = (eyes[:, None] - (view @ eyes[..., None]) * view).norm(dim=2)
    frame, ray = (closest < scene.looks.build.reach).nonzero(as_tuple=True)
    shape = lambda points, rows: solid(points, face.of(rows), scene.looks)  # noqa: E731
    along = trace(eyes[frame], view[frame, ray], frame, shape, (scene.distance - SPAN, scene.distance + SPAN))
    hit = along.isfinite()
    frame, ray = frame[hit], ray[hit]
    points = eyes[frame] + along[hit, None] * view[frame, ray]
    normal = normals(points, frame, shape)
    colour, shine = painted(points, face.of(frame), scene.looks)
    rooms = torch.stack([room(_light(int(each), scene), turn) for each, turn in zip(numbers, turns, strict=True)])
    pictures = torch.zeros(len(numbers), side * side, 4)
    pictures[frame, ray, :3] = lit(colour, shine, normal, view[frame, ray], rooms[frame])
    pictures[frame, ray, 3] = 1
    return torch.stack([shrunk(each.view(side, side, 4), scene.side) for each in pictures])


def _views(side: int, camera: NDArray[np.float32]) -> Tensor:
    """(side * side, 3): where each pixel looks, of unit length."""
    focal, x, y = (float(each) for each in camera)
    down, across = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    flat = torch.stack([(across + 0.5 - x) / focal, (down + 0.5 - y) / focal, torch.ones(side, side)], dim=-1)
    return (flat / flat.norm(dim=-1, keepdim=True)).view(-1, 3)


def _behind(
    room: Tensor, body: Tensor, pose: NDArray[np.float32], camera: NDArray[np.float32], distance: float
) -> Tensor:
    """The body goes half as far as the head."""
    pixels = 0.5 * pose[:2, 3] / distance * camera[0]
    matrix = np.array([[1, 0, pixels[0]], [0, 1, pixels[1]]], np.float32)
    size = (body.shape[1], body.shape[0])
    moved = cv2.warpAffine(body.numpy(), matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _over(room, torch.from_numpy(moved))


def _over(back: Tensor, front: Tensor) -> Tensor:
    """Colours of the front are already by how much they cover."""
    return front[..., :3] + (1 - front[..., 3:]) * back


def _bytes(picture: Tensor | NDArray[Any]) -> NDArray[np.uint8]:
    return (np.asarray(picture).clip(0, 1) * 255).round().astype(np.uint8)
