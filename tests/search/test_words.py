"""Search by words alone: any of them, rare ones first."""

from __future__ import annotations

import pytest

from tests.search.conftest import Write
from tickets.audience import EVERYONE
from tickets.models import Article
from tickets.search import search


def slugs(query: str, **options: object) -> list[str]:
    return [hit.slug for hit in search(query, readers=EVERYONE, **options)]  # type: ignore[arg-type]


def test_one_known_word_among_others_is_enough(shelf: None) -> None:
    assert slugs("how do I pair this thing")[0] == "pair-the-trailmate"


def test_other_forms_of_a_word_are_found(shelf: None) -> None:
    assert slugs("returning items")[0] == "return-an-item"


def test_a_title_counts_more_than_the_text(write: Write, shelf: None) -> None:
    write("Zips", "How to mend a zip, and why a lantern helps at night.")
    write("Lantern", "It runs for 40 hours.")
    assert slugs("lantern") == ["lantern", "zips"]


def test_a_rare_word_counts_more_than_a_usual_one(write: Write, shelf: None) -> None:
    for number in range(6):
        write(f"Order {number}", "About an order.")
    write("Crampons", "Steel crampons for an order in winter.")
    assert slugs("order crampons")[0] == "crampons"


def test_only_the_asked_category_is_searched(shelf: None) -> None:
    assert slugs("password charge card", category="billing")[0] == "charged-twice"
    assert "reset-your-password" not in slugs("password charge card", category="billing")


def test_drafts_are_never_found(write: Write, shelf: None) -> None:
    write("Secret snowshoes", "Snowshoes for 2027.", status=Article.Status.DRAFT)
    assert slugs("secret snowshoes") == []


def test_an_article_comes_once_with_its_best_section(shelf: None) -> None:
    (hit, *others) = search("label for the return", readers=EVERYONE)
    assert (hit.slug, hit.section, hit.url) == ("return-an-item", "The label", "/help/return-an-item/")
    assert hit.text == "The label comes by e-mail."
    assert "return-an-item" not in [other.slug for other in others]


def test_five_come_unless_another_number_is_asked_for(write: Write) -> None:
    for number in range(8):
        write(f"Hammock {number}", "Hang the hammock between two trees.")
    assert len(search("hammock", readers=EVERYONE)) == 5
    assert len(search("hammock", limit=2, readers=EVERYONE)) == 2


@pytest.mark.parametrize("query", ["", "   ", "?!", "'; DROP TABLE --", "a & | ! ( ) : * <->", "\\'", "%", "x" * 5000])
def test_odd_questions_do_no_harm(shelf: None, query: str) -> None:
    assert search(query, readers=EVERYONE) == []


def test_accents_do_not_matter(shelf: None) -> None:
    assert slugs("cafe creme") == ["cafe-creme-mugs"]
