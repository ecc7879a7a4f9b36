"""Every place of the vocabulary, and what is laid there."""

from collections.abc import Callable, Iterator

from deployments.image.painter import sky
from deployments.image.painter.city import city, skyline
from deployments.image.painter.frame import Frame, Item
from deployments.image.painter.land import Land, meadow
from deployments.image.painter.places import PLACES
from deployments.image.painter.waters import lake, river, sea
from deployments.image.painter.wilds import desert, forest, highland, mountains, snowfield

GROUNDS: dict[str, Callable[[Frame], Land]] = {
    "meadow": meadow, "garden": meadow, "village": meadow, "sea": sea, "lake": lake, "river": river, "forest": forest,
    "mountains": highland, "snowfield": snowfield, "desert": desert, "city": city,
}  # fmt: skip


def backdrop(frame: Frame, ground: str) -> Iterator[Item]:
    """What a second ground adds behind the first."""
    if ground == "mountains":
        yield from mountains(frame, 0.5)
    if ground == "city":
        yield from (Item(item.z - 4, frame.light.tint(item.body, 0.3), item.label) for item in skyline(frame, 0.54, 1))


def ground_of(frame: Frame) -> Land:
    """The land of a scene: its first ground that is known here, with what the others add behind."""
    first = frame.scene.grounds[0]
    if first in PLACES:
        return PLACES[first](frame)
    items, rows = GROUNDS[first](frame)
    for other in frame.scene.grounds[1:]:
        items += list(backdrop(frame, other))
    return [*sky.sky(frame), *items], rows
