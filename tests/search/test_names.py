"""Codes and whole names win over everything else."""

from __future__ import annotations

import pytest

from tests.search.conftest import Write
from tickets.audience import EVERYONE
from tickets.search import search


@pytest.mark.parametrize("query", ["TNT-2P-GRN", "tnt-2p-grn", "is the TNT-2P-GRN still covered?"])
def test_a_code_wins(write: Write, shelf: None, query: str) -> None:
    write("Still covered", "What is still covered, and what is not covered any more.")
    first = search(query, readers=EVERYONE)[0]
    assert (first.slug, first.exact, first.score) == ("warranty", True, 1.0)


def test_the_beginning_of_a_code_names_the_article(shelf: None) -> None:
    assert search("BTS-43-BLK", readers=EVERYONE)[0].slug == "warranty"


def test_a_whole_title_wins(write: Write, shelf: None) -> None:
    write("Gift wrapping", "Gift gift gift cards cards cards: we wrap them.")
    first = search("gift cards", readers=EVERYONE)[0]
    assert (first.slug, first.exact) == ("gift-cards", True)


def test_a_name_inside_a_question_is_not_exact(shelf: None) -> None:
    first = search("how do I pair my Trailmate with a phone", readers=EVERYONE)[0]
    assert (first.slug, first.exact) == ("pair-the-trailmate", False)
