"""A company's accent as the colours of `static/css/tokens.css`, light and dark, held to WCAG AA.

Given is one sRGB colour; hue and strength stay, only the lightness is changed where a theme needs it (in OKLCH, so that
it still looks like the same colour). The dark theme's accent follows from the light one's unless it is given as well.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

Colour = tuple[float, float, float]
"""Lightness 0-1, chroma, hue in degrees: OKLCH."""
TEXT, EDGE = 4.5, 3.0
HEX = re.compile(r"#[0-9a-f]{6}")
# The grounds an accent stands on, as tokens.css has them.
GROUNDS: dict[str, dict[str, Colour]] = {
    "light": {"paper": (0.982, 0.006, 95), "surface": (1, 0, 0), "sunken": (0.955, 0.009, 100)},
    "dark": {"paper": (0.205, 0.012, 170), "surface": (0.245, 0.014, 170), "sunken": (0.18, 0.011, 170)},
}
INK: dict[str, Colour] = {"light": (0.26, 0.018, 170), "dark": (0.93, 0.01, 110)}
STEP = 0.004


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a colour cannot be the accent, and the nearest shade that can."""

    theme: str
    colour: str
    ratio: float
    nearest: str

    def __str__(self) -> str:
        return (
            f"{self.colour} is too {'pale' if self.theme == 'light' else 'dark'} for links and buttons in the "
            f"{self.theme} theme: its contrast is {self.ratio:.1f}:1, and {TEXT}:1 is needed. The nearest shade that "
            f"passes is {self.nearest}."
        )


def read_hex(text: str) -> str:
    """'#1f4a3a' from what people write: '1F4A3A', '#abc'. Raises ValueError with a sentence for people."""
    found = text.strip().lower().removeprefix("#")
    if len(found) == 3:
        found = "".join(sign * 2 for sign in found)
    if not HEX.fullmatch(f"#{found}"):
        raise ValueError(f"“{text.strip()[:20]}” is no colour. Write it like #1f4a3a.")
    return f"#{found}"


def refusals(accent: str, accent_dark: str = "") -> list[Refusal]:
    """What is wrong with these accents; empty when both keep their contrast everywhere they stand."""
    found = []
    for theme, colour in (("light", accent), ("dark", accent_dark)):
        if colour and (ratio := worst(colour, theme)) < TEXT:
            found.append(Refusal(theme, colour, math.floor(ratio * 10) / 10, nearest(colour, theme)))
    return found


def worst(colour: str, theme: str) -> float:
    """The lowest contrast that text in this accent, or on it, has in a theme."""
    grounds = [hex_of(*ground) for ground in GROUNDS[theme].values()] + [soft_of(colour, theme)]
    return min(contrast(colour, ground) for ground in (*grounds, on_accent(colour)))


def nearest(colour: str, theme: str) -> str:
    """The shade of the same hue that passes and is least changed: darker in the light theme, lighter in the dark."""
    lightness, chroma, hue = oklch_of(colour)
    down = theme == "light"
    while worst(shade := hex_of(lightness, chroma, hue), theme) < TEXT and 0.0 < lightness < 1.0:
        lightness += -STEP if down else STEP
    return shade


def dark_of(accent: str) -> str:
    """The dark theme's accent, from the light one's: as light as ours is, or lighter where the hue needs it."""
    _, chroma, hue = oklch_of(accent)
    return nearest(hex_of(0.8, min(chroma, 0.11), hue), "dark")


def soft_of(accent: str, theme: str) -> str:
    """The faint ground of what is chosen or pointed at."""
    _, chroma, hue = oklch_of(accent)
    return hex_of(0.95, min(chroma, 0.026), hue) if theme == "light" else hex_of(0.29, min(chroma, 0.035), hue)


def on_accent(colour: str) -> str:
    """The words on a button of this colour: nearly white or nearly black, whichever reads better."""
    _, chroma, hue = oklch_of(colour)
    return max("#fcfbf9", hex_of(0.19, min(chroma, 0.03), hue), key=lambda words: contrast(colour, words))


def tokens(accent: str, accent_dark: str = "") -> dict[str, tuple[str, str]]:
    """(light, dark) of each token of tokens.css that follows from the accent."""
    return _tokens(accent, accent_dark or dark_of(accent))


@lru_cache(64)
def _tokens(light: str, dark: str) -> dict[str, tuple[str, str]]:
    made = {"accent": (light, dark), "on-accent": (on_accent(light), on_accent(dark))}
    made["accent-hover"] = (_hover(light, "light"), _hover(dark, "dark"))
    made["accent-soft"] = (soft_of(light, "light"), soft_of(dark, "dark"))
    made["focus"] = (_focus(light, "light"), _focus(dark, "dark"))
    made["bubble"] = tuple(  # type: ignore[assignment]
        hex_of(at, min(oklch_of(colour)[1], chroma), oklch_of(colour)[2])
        for colour, at, chroma in ((light, 0.93, 0.024), (dark, 0.315, 0.03))
    )
    return made


def stylesheet(accent: str, accent_dark: str = "") -> str:
    """The sheet that gives tokens.css these colours; empty without an accent."""
    if not accent:
        return ""
    lines = (f"--{name}:light-dark({light},{dark})" for name, (light, dark) in tokens(accent, accent_dark).items())
    return f":root{{{';'.join(lines)}}}\n"


def _hover(colour: str, theme: str) -> str:
    """A little further from the ground; where there is no room, nearer, as far as the words on it stay legible."""
    lightness, chroma, hue = oklch_of(colour)
    words = on_accent(colour)
    for change in (-0.07, 0.07, 0.04) if theme == "light" else (0.06, -0.06, -0.03):
        shade = hex_of(min(max(lightness + change, 0.0), 1.0), chroma, hue)
        if shade != colour and contrast(shade, words) >= TEXT:
            return shade
    return colour


def _focus(colour: str, theme: str) -> str:
    """Stronger than the accent where that still stands out from every ground."""
    lightness, chroma, hue = oklch_of(colour)
    shade = hex_of(lightness + (0.08 if theme == "light" else 0.02), chroma * 1.4, hue)
    grounds = (*(hex_of(*ground) for ground in GROUNDS[theme].values()), soft_of(colour, theme))
    return shade if all(contrast(shade, ground) >= EDGE + 0.5 for ground in grounds) else colour


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(4096)
def _luminance(colour: str) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), _linear(colour), strict=True))


def _linear(colour: str) -> list[float]:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def oklch_of(colour: str) -> Colour:
    """By Ottosson's matrices, as CSS has them."""
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


@lru_cache(4096)
def hex_of(lightness: float, chroma: float, hue: float) -> str:
    """The colour in sRGB; one that screens cannot show loses strength until they can."""
    lightness = min(max(lightness, 0.0), 1.0)
    while True:
        parts = _rgb(lightness, chroma, hue)
        if chroma <= 0 or all(-0.0005 <= part <= 1.0005 for part in parts):
            return "#" + "".join(f"{round(255 * _gamma(min(max(part, 0.0), 1.0))):02x}" for part in parts)
        chroma = max(chroma - 0.002, 0.0)


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _rgb(lightness: float, chroma: float, hue: float) -> Colour:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
