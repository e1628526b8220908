"""Markdown becomes sections of plain text."""

from __future__ import annotations

from tickets.search.sections import MAX_WORDS, split_sections


def test_headings_cut_and_marks_vanish() -> None:
    sections = split_sections(
        "Intro with **bold** and `code`.\n\n## First\n\n- one\n- [two](/help/two/)\n\n### Second\n\nText."
    )
    assert [(section.heading, section.text) for section in sections] == [
        ("", "Intro with bold and code."),
        ("First", "one\ntwo"),
        ("Second", "Text."),
    ]


def test_rows_of_a_table_read_like_sentences() -> None:
    (narrow,) = split_sections("| Plan | Label |\n| --- | --- |\n| Free | 4.90 |\n| Plus | free |")
    assert narrow.text == "Free: 4.90\nPlus: free"
    (wide,) = split_sections("| | Basic | Explorer |\n| --- | --- | --- |\n| Price | 11.95 | 24.95 |")
    assert wide.text == "Price: Basic 11.95; Explorer 24.95"


def test_a_section_of_links_alone_is_left_out() -> None:
    sections = split_sections("Text.\n\n## See also\n\n- [Returns](/help/returns/)\n- [Refunds](/help/refunds/).")
    assert [section.heading for section in sections] == [""]


def test_a_long_section_is_cut_between_paragraphs() -> None:
    sections = split_sections("## Long\n\n" + "\n\n".join(" ".join(["word"] * 100) for _ in range(3)))
    assert [section.heading for section in sections] == ["Long", "Long", "Long"]
    assert all(len(section.text.split()) <= MAX_WORDS for section in sections)


def test_an_empty_body_has_no_sections() -> None:
    assert split_sections("") == []
    assert split_sections("## Only a heading") == []
