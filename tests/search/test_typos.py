"""Mistyped words stand for the nearest ones of the articles; ordinary words are left alone."""

from __future__ import annotations

import pytest

from tests.search.conftest import Write
from tickets.audience import EVERYONE
from tickets.search import search
from tickets.search.spelling import nearest


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("retrun", "return-an-item"),
        ("pasword", "reset-your-password"),
        ("waranty", "warranty"),
        ("trailmat", "pair-the-trailmate"),
        ("delivry", "delivery-times"),
        ("slepeing bag", "sleeping-bags"),
        ("trail mate", "pair-the-trailmate"),
    ],
)
def test_a_mistyped_word_is_mended(shelf: None, typed: str, found: str) -> None:
    assert search(typed, readers=EVERYONE)[0].slug == found


def test_an_ordinary_word_is_no_typo(shelf: None) -> None:
    """'parcels' is near, but people who write 'marcel' or 'label' mean something."""
    assert search("bead", readers=EVERYONE) == []


def test_a_snippet_marks_the_mended_word(shelf: None) -> None:
    assert "<mark>warranty</mark>" in search("warrenty", readers=EVERYONE)[0].snippet_html


def test_an_unpublished_word_leaves_the_vocabulary(write: Write, shelf: None) -> None:
    write("Kayaks", "Kayaks for rivers.")
    assert search("kayyak", readers=EVERYONE)
    write("Kayaks", "Nothing here.", status="draft")
    assert search("kayyak", readers=EVERYONE) == []


@pytest.mark.parametrize(
    ("typed", "stands_for"),
    [
        ("retrun", "return"),  # two neighbours swapped are one edit
        ("retrn", "return"),
        ("rtrn", None),  # two edits are too many for a short word
        ("waranti", "warranty"),
        ("cat", None),  # too short to tell
        ("e42x", None),  # a code is no typo
        ("lable", "label"),  # as near as 'table', but in more articles
    ],
)
def test_the_nearest_word_is_the_one_with_the_fewest_edits_then_the_most_usual(
    typed: str, stands_for: str | None
) -> None:
    assert nearest(typed, {"return": 9, "warranty": 3, "label": 5, "table": 2, "cats": 1, "e42": 1}) == stands_for
