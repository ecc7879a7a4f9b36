"""The picture's measures and light, and the pieces that it is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sin
from random import Random

from deployments.image.painter.palette import Light
from deployments.image.painter.scene import Scene
from deployments.image.painter.svg import Point, number, path

Box = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels
Line = Callable[[float], float]  # a height y over x


@dataclass(frozen=True)
class Item:
    """One piece of a picture: pieces of a higher `z` hide those below."""

    z: float
    body: str = ""
    label: str = ""  # empty: not worth telling
    halo: str = ""  # shadows and light around it, which hide nothing
    extent: Box | None = None  # about what it would cover if nothing hid it


@dataclass(frozen=True)
class Row:
    """Where things of a kind stand: from x0 to x1, on a line, this large, this far in the haze."""

    x0: float
    x1: float
    line: Line
    z: float
    scale: float = 1.0
    depth: float = 0.0


@dataclass(frozen=True)
class Frame:
    """A picture being composed: `unit` is a hundredth of its height, less in narrow ones."""

    width: int
    height: int
    light: Light
    scene: Scene

    @property
    def unit(self) -> float:
        return min(self.height / 100, self.width / 68)

    @property
    def hero_left(self) -> bool:
        """Whether the hero stands left of the middle."""
        return self.stream("hero side").random() < 0.5

    def x(self, part: float) -> float:
        return self.width * part

    def y(self, part: float) -> float:
        return self.height * part

    def stream(self, *names: object) -> Random:
        return self.scene.stream(*names)


def level(y: float) -> Line:
    return lambda x: y


def ridge(frame: Frame, rng: Random, y: float, swing: float, waves: float = 1.3) -> Line:
    """A rolling line around the height `y` (0-1 of the picture), `swing` units up and down."""
    first, second = rng.uniform(0, 2 * pi), rng.uniform(0, 2 * pi)
    high, width = swing * frame.unit, frame.width
    count = waves * rng.uniform(0.8, 1.25)

    def line(x: float) -> float:
        around = 2 * pi * x / width
        return frame.y(y) + high * (0.7 * sin(count * around + first) + 0.3 * sin(2.3 * count * around + second))

    return line


def trace(frame: Frame, line: Line, steps: int = 24) -> list[Point]:
    """Points of a line from edge to edge."""
    return [(frame.width * i / steps, line(frame.width * i / steps)) for i in range(-1, steps + 2)]


def band(frame: Frame, line: Line, fill: str, bottom: float = 1.02) -> str:
    """The ground under a line."""
    low = frame.y(bottom)
    points = trace(frame, line)
    d = "M" + " L".join(f"{number(x)},{number(y)}" for x, y in points)
    return path(f"{d} L{number(points[-1][0])},{number(low)} L{number(points[0][0])},{number(low)}Z", fill)
