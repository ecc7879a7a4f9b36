"""Who and what stands where: a scene becomes a list of pieces, far to near."""

from dataclasses import dataclass, field, replace
from random import Random

from deployments.image.painter import nature
from deployments.image.painter.dressing import dressing
from deployments.image.painter.figure import Sketch, sketch
from deployments.image.painter.frame import Box, Frame, Item, Row, level
from deployments.image.painter.grounds import ground_of
from deployments.image.painter.palette import NAMED, light_of, shifted
from deployments.image.painter.scene import Figure, Named, Scene
from deployments.image.painter.shapes import SHAPES, Shape
from deployments.image.painter.sky import falling, finish, halo, rainbow
from deployments.image.painter.svg import ellipse, group, paint, stroke, turned

HERO = 42  # units
CROWDED = 0.5  # from here on nothing is added that nobody asked for
HELD = ("umbrella", "fishing rod", "kite", "balloon", "lantern", "book")
SIZES = {"mouse": 0.45, "hamster": 0.45, "chicken": 0.5, "duck": 0.5, "frog": 0.5, "squirrel": 0.55, "hedgehog": 0.5}
SIZES |= {"elephant": 0.95, "bear": 0.85, "giraffe": 0.95, "horse": 0.85, "dragon": 0.95, "woman": 0.95, "man": 0.98}
SIZES |= {"king": 0.95, "queen": 0.95, "grandmother": 0.9, "grandfather": 0.92, "robot": 0.8, "polar bear": 0.85}


@dataclass
class Layout:
    """The pieces so far, and the room that they take."""

    frame: Frame
    rows: dict[str, Row]
    items: list[Item]
    claimed: list[Box] = field(default_factory=list)

    def place(self, rng: Random, row: Row, width: float, height: float) -> tuple[float, float, float]:
        """The calmest of some places for the base of a thing of this size in pixels, and how crowded it is there."""
        best = (0.0, 0.0, float("inf"))
        for _ in range(16):
            x = self.frame.x(rng.uniform(row.x0, row.x1))
            x = min(max(x, width * 0.5), self.frame.width - width * 0.5) if width < self.frame.width else x
            y = row.line(x)
            cost = self._crowding((x - width / 2, y - height, x + width / 2, y)) + 0.02 * rng.random()
            if cost < best[2]:
                best = (x, y, cost)
        return best

    def _crowding(self, box: Box) -> float:
        own = (box[2] - box[0]) * (box[3] - box[1])
        return sum(
            overlap(box, other) / min(own, (other[2] - other[0]) * (other[3] - other[1])) for other in self.claimed
        )

    def claim(self, x: float, y: float, width: float, height: float) -> Box:
        box = (x - width / 2, y - height, x + width / 2, y)
        self.claimed.append(box)
        return box


def overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def compose(scene: Scene, width: int, height: int) -> list[Item]:
    """The pieces of the picture, those that hide others last."""
    light = light_of(scene.hour, scene.weather, scene.stream("light"))
    if scene.grounds[0] == "space":
        light = replace(light, lamp="#f4f2ff")  # no air dims the things there
    frame = Frame(width, height, light, scene)
    items, rows = ground_of(frame)
    layout = Layout(frame, rows, items)
    held = _hero(layout)
    for place, figure in enumerate(scene.others):
        _other(layout, figure, place)
    named = [thing for thing in scene.things if thing is not held]
    for thing in sorted(named, key=lambda thing: -SHAPES[thing.label].height if thing.label in SHAPES else 0):
        add(layout, thing)
    present = {item.label for item in layout.items} | {thing.label for thing in scene.things}
    for thing in dressing(frame, present):
        add(layout, thing, dressed=True)
    indoors = scene.grounds[0] in ("room", "parlour", "underwater", "space", "moon")
    layout.items += [] if indoors else falling(frame)
    return sorted([*layout.items, finish(frame)], key=lambda item: item.z)


def shadow(x: float, y: float, half: float) -> str:
    """A soft shadow on the ground."""
    return ellipse(x, y, half, half * 0.2, paint("r", "#2b2a4a70", "#2b2a4a38", "#2b2a4a00"))


def _stand(layout: Layout, figure: Figure, drawn: Sketch, x: float, y: float, size: float, flip: bool) -> float:
    """Put a figure with its feet at a place; gives its scale."""
    frame = layout.frame
    scale = size / drawn.top
    extent = layout.claim(x, y, 1.7 * drawn.half * scale, size)
    glow = halo(x, y - size * 0.45, size * 0.8, "#ffedc0", 0x38) if frame.light.dark else ""
    markup = group(drawn.markup, x, y, scale, flip=flip)
    z = 60 + 10 * y / frame.height
    layout.items.append(Item(z, markup, figure.look.species, glow + shadow(x, y, 36 * scale), extent))
    return scale


def _hero(layout: Layout) -> Named | None:
    """Put the hero in; gives the thing that is in its hand."""
    frame, hero = layout.frame, layout.frame.scene.hero
    if hero is None:
        return None
    rng, u = frame.stream("hero place"), frame.unit
    held = next((thing for name in HELD for thing in frame.scene.things if thing.label == name), None)
    held = held if held is not None and (held.count == 1 or held.label == "book") else None
    pose_holds = held is not None and hero.pose not in ("fish", "read")
    figure = Figure(hero.look, "sit", hero.mood) if frame.scene.grounds[0] == "moon" and hero.pose == "stand" else hero
    drawn = sketch(figure, holds=pose_holds)
    left = frame.hero_left
    x = frame.x(0.5 + (-1 if left else 1) * rng.uniform(0.08, 0.2))
    row = layout.rows["near"]
    if row.x0 == row.x1:
        x, left = frame.x(row.x0) - 2 * u, True
    y = row.line(x)
    scale = _stand(layout, figure, drawn, x, y, HERO * u * (0.86 if row.x0 == row.x1 else 1), flip=not left)
    if held is not None:
        hand = drawn.hands[1]
        _hold(layout, held, x + (hand[0] if left else -hand[0]) * scale, y + hand[1] * scale, left)
    return held


def _hold(layout: Layout, thing: Named, x: float, y: float, left: bool) -> None:
    frame = layout.frame
    u, rng = frame.unit, frame.stream("held", thing.label)
    shape = SHAPES[thing.label]
    drawn = shape.draw(_colour(frame, thing, shape, rng), rng)
    if thing.label == "kite":
        _fly(layout, drawn, x, y, left)
        return
    low = {"lantern": y + 12 * u, "fishing rod": y + 2 * u}.get(thing.label, y + 1 * u)
    middle = layout.claimed[0][0] / 2 + layout.claimed[0][2] / 2 if thing.label == "book" else x
    extent = None if thing.label == "fishing rod" else layout.claim(middle, low, shape.width * u, shape.height * u)
    over = halo(middle, low - 5 * u, 13 * u, "#ffd98a", 0x80) if shape.glow else ""
    lean, large = (-10, 1.25) if thing.label == "umbrella" else (0, 1.0)
    markup = group(turned(drawn, lean), middle, low, u * large, flip=not left)
    layout.items.append(Item(75, markup, thing.label, over, extent))


def _fly(layout: Layout, drawn: str, x: float, y: float, left: bool) -> None:
    """A kite at the end of its string, up where the sky is free."""
    frame = layout.frame
    u, rng = frame.unit, frame.stream("kite")
    row = Row(0.12, 0.88, lambda _: frame.y(rng.uniform(0.22, 0.36)), 0)
    end_x, end_y, _ = layout.place(rng, row, 20 * u, 24 * u)
    extent = layout.claim(end_x, end_y, 14 * u, 20 * u)
    sag = (x + end_x) / 2, max(y, end_y) - 2 * u
    string = stroke(f"M{x:.1f},{y:.1f} Q{sag[0]:.1f},{sag[1]:.1f} {end_x:.1f},{end_y - 9 * u:.1f}", "#fff8ea", 0.22 * u)
    layout.items.append(Item(74, halo=string))
    layout.items.append(Item(75, group(drawn, end_x, end_y, u * 1.1, flip=left), "kite", extent=extent))


def _other(layout: Layout, figure: Figure, place: int) -> None:
    frame = layout.frame
    rng = frame.stream("other place", place)
    hero = frame.scene.hero
    alike = hero is not None and hero.look.species == figure.look.species
    size = HERO * frame.unit * (0.7 if alike else SIZES.get(figure.look.species, 0.68)) * rng.uniform(0.92, 1.06)
    drawn = sketch(figure)
    row = layout.rows["near"]
    if row.x0 == row.x1:
        row = Row(0.12, 0.88, level(frame.y(0.86)), 60)
    near = Row(max(row.x0, 0.06), min(row.x1, 0.94), level(row.line(0) - rng.uniform(0, 3.5) * frame.unit), 60)
    x, y, _ = layout.place(rng, near, 1.7 * drawn.half * size / drawn.top, size)
    _stand(layout, figure, drawn, x, y, size, flip=x > frame.width / 2)


def _colour(frame: Frame, thing: Named, shape: Shape, rng: Random) -> str:
    if thing.colour:
        return NAMED[thing.colour]
    colour = NAMED[rng.choice(shape.colours)]
    if thing.label in ("tree", "bush") and "autumn" in frame.scene.weather:
        colour = rng.choice(("#e08a3c", "#d2673c", "#e6b04a", "#c9803f"))
    return shifted(colour, rng.uniform(-0.025, 0.025), rng.uniform(-0.12, 0.05))


def _shape(frame: Frame, label: str) -> Shape:
    """The shape of a thing in this season and place."""
    shape, weather = SHAPES[label], frame.scene.weather
    if label == "tree" and "spring" in weather:
        return replace(shape, draw=nature.blossom)
    if label == "pine" and ("snow" in weather or "snowfield" in frame.scene.grounds):
        return replace(shape, draw=nature.snowy_pine)
    if frame.scene.grounds[0] == "sea" and label in ("house", "windmill", "tree"):
        return replace(shape, row="far")
    return shape


def _row(layout: Layout, shape: Shape, rng: Random, label: str) -> Row:
    frame, rows = layout.frame, layout.rows
    low, high = {
        "sun": (0.2, 0.3),
        "moon": (0.2, 0.28),
        "cloud": (0.1, 0.34),
        "star": (0.06, 0.34),
        "bird": (0.12, 0.32),
    }.get(label, (0.22, 0.42))
    if label == "sun" and frame.scene.hour in ("sunset", "dawn"):
        low, high = 0.44, 0.52
    if shape.row == "sky":
        scale = rng.uniform(0.8, 1.25) if label == "cloud" else 1.0
        return Row(
            0.06, 0.94, lambda _: frame.y(rng.uniform(low, high)), 3 if label in ("sun", "moon", "star") else 5, scale
        )
    if shape.row == "air":
        return Row(0.08, 0.92, lambda _: frame.y(rng.uniform(0.4, 0.66)), 58)
    if shape.row == "near":
        y = frame.y(0.815) + rng.uniform(-2.5, 3) * frame.unit
        return Row(0.05, 0.95, level(y), 60 + 10 * y / frame.height)
    if shape.row == "bridge":
        return rows.get("bridge") or Row(0.3, 0.7, rows["mid"].line, 54)
    return rows.get(shape.row) or rows["mid"]


def add(layout: Layout, thing: Named, dressed: bool = False) -> None:
    """Put in the things of one name; `dressed`: nobody asked for them."""
    frame = layout.frame
    if thing.label == "rainbow":
        layout.items.append(rainbow(frame))
        return
    for one in range(thing.count):
        rng = frame.stream("thing", thing.label, one)
        shape = _shape(frame, thing.label)
        row = _row(layout, shape, rng, thing.label)
        if dressed and shape.row == "mid" and rng.random() < 0.4 and frame.scene.grounds[0] != "city":
            row = layout.rows["far"]
        alone = 1.55 if frame.scene.hero is None and not dressed and shape.row != "sky" else 1.0
        unit = frame.unit * row.scale * alone * rng.uniform(0.9, 1.12)
        _set(layout, thing, shape, row, unit, rng, dressed)


def _set(layout: Layout, thing: Named, shape: Shape, row: Row, unit: float, rng: Random, dressed: bool) -> None:
    frame = layout.frame
    width, height = shape.width * unit, shape.height * unit
    x, y, crowd = layout.place(rng, row, width, height)
    if dressed and crowd > CROWDED:
        return
    if row.z < 10 or shape.row == "air":
        y = max(y, height + 2 * unit)  # whole, below the upper edge
    claimed = layout.claim(x, y, width, height)
    extent = None if thing.label == "fishing rod" else claimed  # thin: hardly fills its box
    markup = group(shape.draw(_colour(frame, thing, shape, rng), rng), x, y, unit, flip=rng.random() < 0.5)
    under = "" if shape.row in ("sky", "air", "water", "bridge") else shadow(x, y, width * 0.55)
    if shape.glow and (frame.light.dark or thing.label in ("sun", "campfire", "lantern")):
        under += halo(
            x,
            y - height * (0.5 if shape.row == "sky" else 0.8),
            shape.glow * unit,
            frame.light.glow if thing.label != "lamp" else "#ffe0a0",
        )
    z = row.z + 0.001 * len(layout.items) + 0.1 * y / frame.height
    seen = frame.light.cloudy(markup) if thing.label == "cloud" else frame.light.tint(markup, row.depth)
    layout.items.append(Item(z, seen, thing.label, under, extent))
