"""Colours: named ones, ways to mix them, and the light of an hour and its weather."""

import colorsys
from dataclasses import dataclass, replace
from random import Random

from deployments.image.painter.svg import paint, recolour

NAMED = {
    "red": "#d9534a", "orange": "#ea8a3e", "yellow": "#f4c84d", "green": "#6fae5c", "blue": "#4a83c8",
    "purple": "#8f6bb8", "pink": "#ee93ad", "brown": "#9a6a45", "black": "#43444f", "white": "#f7f3ea",
    "grey": "#9aa1ab", "gold": "#efb93f", "silver": "#bcc6d1", "turquoise": "#49b3ae", "cream": "#f2dfbf",
}  # fmt: skip

WOOD, DARK_WOOD, STEEL = "#b5855a", "#8a6244", "#8b95a3"
INK = "#3b3340"
LAMP = "#FFE29A"  # gives off light


def channels(colour: str) -> tuple[float, float, float]:
    """Red, green, blue as 0-1."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def colour_of(red: float, green: float, blue: float) -> str:
    """`#rrggbb` of three ratios, clipped."""
    return "#" + "".join(f"{round(255 * min(max(value, 0), 1)):02x}" for value in (red, green, blue))


def mix(first: str, second: str, part: float) -> str:
    """From the first colour (0) to the second (1)."""
    red, green, blue = (a + (b - a) * part for a, b in zip(channels(first), channels(second), strict=True))
    return colour_of(red, green, blue)


def lighter(colour: str, part: float = 0.2) -> str:
    return mix(colour, "#fffaf0", part)


def darker(colour: str, part: float = 0.15) -> str:
    return mix(colour, "#3a2c4a", part)


def filtered(colour: str, light: str) -> str:
    """The colour seen under coloured light."""
    red, green, blue = (a * b for a, b in zip(channels(colour), channels(light), strict=True))
    return colour_of(red, green, blue)


def shifted(colour: str, hue: float, strength: float = 0) -> str:
    """The colour turned by a part of the colour circle, and made stronger or paler."""
    h, lightness, s = colorsys.rgb_to_hls(*channels(colour))
    return colour_of(*colorsys.hls_to_rgb((h + hue) % 1, lightness, min(max(s * (1 + strength), 0), 1)))


def lit(colour: str) -> str:
    """A round thing's paint, lit from the upper left."""
    return paint("b", lighter(colour, 0.3), colour, colour, darker(colour, 0.14))


def soft(colour: str) -> str:
    """A flat thing's paint, lit from above."""
    return paint("v", lighter(colour, 0.18), colour, darker(colour, 0.12))


@dataclass(frozen=True)
class Light:
    """What an hour does to colours: the sky from top to horizon, the far haze, the light on things."""

    sky: tuple[str, str, str, str]
    haze: str
    lamp: str  # things are seen under this light
    glow: str  # around the sun or the moon, and where they glint on water
    cloud: str
    shade: str  # the underside of clouds
    dark: bool = False
    water: str = "#56aed2"  # under the mirrored sky

    def tint(self, markup: str, depth: float = 0) -> str:
        """Daylight colours under this light, `depth` (0 near, 1 lost in haze) away."""
        return recolour(markup, lambda colour: mix(filtered(colour, self.lamp), self.haze, depth))

    def cloudy(self, markup: str) -> str:
        """A cloud drawn from white (lit) to pale blue (shaded), under this light."""
        return recolour(markup, lambda colour: mix(self.shade, self.cloud, (channels(colour)[0] - 0.85) / 0.15))


HOURS = {
    "day": Light(("#6cbbe6", "#97d3ee", "#c6e9f0", "#eef6e6"), "#d3eaec", "#ffffff", "#fff6d2", "#ffffff", "#dcebf3"),
    "dawn": Light(
        ("#8fb1e0", "#c7c3e4", "#f8cfd0", "#ffebcb"),
        "#f3dcd9",
        "#fff1e8",
        "#fff0c4",
        "#fff5ef",
        "#f4cfd2",
        water="#8fb0dc",
    ),
    "sunset": Light(
        ("#5e6fb5", "#b17fb4", "#f2988a", "#ffd592"),
        "#d99aae",
        "#ffdcc6",
        "#ffe2a0",
        "#ffdcc8",
        "#e39aa4",
        water="#8a74b8",
    ),
    "night": Light(
        ("#1d2b63", "#2f4689", "#4f6cae", "#8ca3d0"),
        "#5f7ab4",
        "#8a99d6",
        "#f6ecc4",
        "#8196cc",
        "#5870ad",
        True,
        "#37529c",
    ),
}


def light_of(hour: str, weather: frozenset[str], rng: Random) -> Light:
    """The light of an hour under its weather, a little different each time."""
    light = HOURS[hour]
    hue, strength = rng.uniform(-0.018, 0.018), rng.uniform(-0.12, 0.12)
    top, high, low, horizon = (shifted(colour, hue, strength) for colour in light.sky)
    light = replace(light, sky=(top, high, low, horizon))
    if "rain" in weather:
        return _under(light, "#8b9fb4" if not light.dark else "#33456f", 0.55, "#d3dde9")
    if "snow" in weather:
        return _under(light, "#dbe6f3" if not light.dark else "#7288bb", 0.4, "#f3f7ff")
    return light


def _under(light: Light, grey: str, part: float, lamp: str) -> Light:
    top, high, low, horizon = (mix(colour, grey, part) for colour in light.sky)
    cloud, shade = mix(light.cloud, grey, part * 0.6), mix(light.shade, grey, part)
    sky = (top, high, low, mix(horizon, "#ffffff", 0.1))
    return replace(
        light, sky=sky, haze=mix(light.haze, grey, part), lamp=filtered(light.lamp, lamp), cloud=cloud, shade=shade
    )
