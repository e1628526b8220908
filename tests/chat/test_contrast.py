"""The colours keep WCAG AA, light and dark: 4.5 for text, 3 for edges, the focus ring and what charts are drawn with.

Pairs that a rule of any style sheet sets by itself are found there; those that meet by standing inside each other are
named here.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

CSS = Path(__file__).parents[2] / "static/css"
TOKENS = (CSS / "tokens.css").read_text() + (CSS / "ops.css").read_text()
COLOUR = re.compile(r"--([\w-]+): light-dark\(oklch\(([^)]*)\), oklch\(([^)]*)\)\)")
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
GROUND = re.compile(r"background(?:-color)?:\s*var\(--([\w-]+)\)")
INK = re.compile(r"(?<![\w-])color:\s*var\(--([\w-]+)\)")
TEXT = [
    *((ink, ground) for ink in ("ink", "ink-soft", "accent") for ground in ("paper", "surface", "sunken")),
    ("ink", "bubble"),
    ("ink", "accent-soft"),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    *((name, ground) for name in ("good", "warn", "bad", "info") for ground in (f"{name}-soft", "paper", "surface")),
]
EDGES = [
    *((name, ground) for name in ("line-strong", "focus") for ground in ("paper", "surface")),
    *(("focus", ground) for ground in ("sunken", "accent-soft", "bubble", "warn-soft")),
    *((f"kind-{kind}", "surface") for kind in ("plan", "model", "tool", "check", "memory", "bad", "hand")),
    *((f"kind-{kind}", "paper") for kind in ("model", "tool", "bad")),
]


def luminance(colour: str) -> float:
    """Relative luminance of 'L C H' in OKLCH, through linear sRGB."""
    lightness, chroma, hue = map(float, colour.split())
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return sum(w * min(max(c, 0.0), 1.0) for w, c in ((0.2126, red), (0.7152, green), (0.0722, blue)))


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_pair_that_meets_is_legible(scheme: int) -> None:
    colours = {name: pair[scheme] for name, *pair in COLOUR.findall(TOKENS)}
    wanted = [(pair, 4.5) for pair in TEXT] + [(pair, 3.0) for pair in EDGES]
    found = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair, _ in wanted}
    assert not [(pair, found[pair]) for pair, least in wanted if found[pair] < least]


def pairs_of_rules() -> set[tuple[str, str]]:
    """(ink, ground) wherever one rule sets both, in any of our style sheets."""
    found = set()
    for sheet in CSS.glob("*.css"):
        for _, body in RULE.findall(sheet.read_text()):
            ink, ground = INK.search(body), GROUND.search(body)
            if ink and ground:
                found.add((ink[1], ground[1]))
    return found


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_rule_with_ink_and_ground_is_legible(scheme: int) -> None:
    colours = {name: pair[scheme] for name, *pair in COLOUR.findall(TOKENS)}
    pairs = pairs_of_rules()
    assert len(pairs) > 10
    found = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs}
    assert not {pair: value for pair, value in found.items() if value < 4.5}
