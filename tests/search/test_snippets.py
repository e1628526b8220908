"""The snippet: the sentences that fit, safe to put into a page."""

from __future__ import annotations

from tests.search.conftest import Write
from tickets.audience import EVERYONE
from tickets.search import search
from tickets.search.snippet import LENGTH, START, STOP, snippet_html


def test_html_in_an_article_is_escaped(write: Write, shelf: None) -> None:
    write("Zippers", "Use `<script>alert(1)</script>` & wax for the zipper.")
    html = search("zipper", readers=EVERYONE)[0].snippet_html
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<mark>zipper</mark>" in html


def test_it_begins_where_most_words_stand(write: Write, shelf: None) -> None:
    filler = " ".join(f"Sentence number {number} speaks of something else entirely." for number in range(12))
    write("Poles", f"{filler} A bent pole is straightened by our workshop for 9.00. Done.")
    html = search("bent pole workshop", readers=EVERYONE)[0].snippet_html
    assert html.startswith("… A <mark>bent</mark> <mark>pole</mark>")


def test_a_very_long_sentence_is_cut_at_a_word_with_its_mark_closed() -> None:
    marked = f"{'word ' * 45}{START}{'long' * 30}{STOP} end"
    html = snippet_html(marked)
    assert html.endswith(" …")
    assert html.count("<mark>") == html.count("</mark>")
    assert len(html) < LENGTH * 2


def test_nothing_gives_nothing() -> None:
    assert snippet_html("") == ""
