"""Any accent: the shade proposed passes WCAG AA wherever it stands, and looks like what was asked for."""

from __future__ import annotations

import random

import pytest

from tests.chat.test_contrast import contrast as contrast_of_oklch
from tickets.palette import (
    EDGE,
    GROUNDS,
    INK,
    TEXT,
    contrast,
    hex_of,
    nearest,
    oklch_of,
    read_hex,
    refusals,
    stylesheet,
    tokens,
)

COLOURS = ["#ffd400", "#ffffff", "#000000", "#7f7f7f", "#ff0000", "#00ff00", "#0000ff", "#1f4a3a"]
COLOURS += [f"#{random.Random(7 * n).randrange(1 << 24):06x}" for n in range(60)]


@pytest.mark.parametrize("colour", COLOURS)
def test_every_pair_that_meets_is_legible_with_the_proposed_shade(colour: str) -> None:
    accent = nearest(colour, "light")
    assert refusals(accent) == []
    for at, theme in enumerate(("light", "dark")):
        shade = {name: pair[at] for name, pair in tokens(accent).items()}
        grounds = [hex_of(*ground) for ground in GROUNDS[theme].values()]
        ink = hex_of(*INK[theme])
        for ground in (*grounds, shade["accent-soft"]):
            assert contrast(shade["accent"], ground) >= TEXT
            assert contrast(shade["focus"], ground) >= EDGE
        for ground in (shade["accent"], shade["accent-hover"]):
            assert contrast(shade["on-accent"], ground) >= TEXT
        assert contrast(ink, shade["bubble"]) >= TEXT
        assert contrast(ink, shade["accent-soft"]) >= TEXT
        assert contrast(shade["focus"], shade["bubble"]) >= EDGE


def test_what_is_too_pale_is_refused_with_the_nearest_shade() -> None:
    (refusal,) = refusals("#ffd400")
    assert refusal.nearest in str(refusal)
    assert "1.2:1" in str(refusal)
    assert refusals(refusal.nearest) == []
    lighter, chroma, hue = oklch_of(refusal.nearest)
    assert abs(hue - oklch_of("#ffd400")[2]) < 4
    a_little_lighter = hex_of(lighter + 0.02, chroma, hue)
    assert refusals(a_little_lighter), "a nearer shade would have passed"


def test_each_theme_has_its_own_demand() -> None:
    assert [wrong.theme for wrong in refusals("#ffd400", "#001133")] == ["light", "dark"]
    assert refusals("#0057b8", "#ffd400") == []
    assert tokens("#0057b8", "#ffd400")["accent"] == ("#0057b8", "#ffd400")


def test_our_own_reckoning_agrees_with_the_one_of_the_style_sheets() -> None:
    assert contrast(hex_of(0.42, 0.075, 162), hex_of(0.982, 0.006, 95)) == pytest.approx(
        contrast_of_oklch("0.42 0.075 162", "0.982 0.006 95"), abs=0.15
    )


def test_a_sheet_replaces_the_tokens_and_nothing_stands_in_it_but_colours() -> None:
    assert stylesheet("") == ""
    sheet = stylesheet("#0057b8")
    assert "--accent:light-dark(#0057b8,#" in sheet
    assert set(sheet) <= set(":root{}-light dark()#0123456789abcdefghijklmnopqrstuvwxyz,;\n")


@pytest.mark.parametrize(("text", "colour"), [("0057B8", "#0057b8"), (" #abc ", "#aabbcc")])
def test_colours_are_read_as_people_write_them(text: str, colour: str) -> None:
    assert read_hex(text) == colour


@pytest.mark.parametrize("text", ["red", "#12345", "#gggggg", "#fff;}body{", "url(x)"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no colour"):
        read_hex(text)
