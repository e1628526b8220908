"""Exports of Zendesk Guide and Intercom, and spreadsheets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.imports.conftest import Run, deeds, whys
from tickets.imports.html import to_markdown
from tickets.markdown import render
from tickets.models import Article, ArticleTranslation

ZENDESK = {
    "articles": [
        {"id": 11, "title": "Returns", "locale": "en-us", "section_id": 5, "draft": False, "label_names": ["refund"],
         "body": '<h1>How</h1><p>See <a href="https://x.zendesk.com/hc/en-us/articles/12-Plus">Plus</a>.</p>'},
        {"id": 12, "title": "Plus", "locale": "en-us", "section_id": 6, "user_segment_id": 99,
         "body": "<p>For members.</p>",
         "translations": [{"locale": "de", "title": "Plus auf Deutsch", "body": "<p>Für Mitglieder.</p>"}]},
        {"id": 13, "title": "Later", "locale": "en-us", "draft": True, "body": "<p>Soon.</p>"},
        {"title": "No id", "body": "<p>x</p>"},
    ]
}  # fmt: skip
INTERCOM = {
    "type": "list",
    "data": [
        {"type": "article", "id": "77", "title": "Sizes", "description": "All sizes.",
         "body": "<ul><li>S</li><li>M</li></ul>",
         "state": "published", "default_locale": "en",
         "translated_content": {"type": "x", "fr": {"title": "Tailles", "body": "<p>S, M</p>", "state": "published"}}},
    ],
}  # fmt: skip


def test_zendesk(run: Run, tmp_path: Path) -> None:
    (tmp_path / "articles.json").write_text(json.dumps(ZENDESK))
    (tmp_path / "sections.json").write_text(
        json.dumps({"sections": [{"id": 5, "category_id": 1, "name": "A"}, {"id": 6, "category_id": 2, "name": "B"}]})
    )
    (tmp_path / "categories.json").write_text(
        json.dumps({"categories": [{"id": 1, "name": "Billing"}, {"id": 2, "name": "Membership"}]})
    )
    report = run(
        "import_articles", tmp_path, "--publish", "--category", "membership=account", "--category", "technical"
    )
    assert report["exit"] == 1
    assert "articles.json #4: is no article: it has no id" in whys(report)
    returns = Article.objects.get(slug="returns")
    assert (returns.category, returns.keywords, returns.audience) == ("billing", "refund", "everyone")
    assert returns.body == "## How\n\nSee [Plus](/help/plus/)."
    plus = Article.objects.get(slug="plus")
    assert (plus.category, plus.audience) == ("account", "signed_in"), "a user segment was not everybody"
    assert ArticleTranslation.objects.get(article=plus, language="de").body == "Für Mitglieder."
    later = Article.objects.get(slug="later")
    assert (later.status, later.category) == ("draft", "technical")
    again = run("import_articles", tmp_path, "--publish", "--category", "membership=account", "--category", "technical")
    assert set(deeds(again).values()) == {"unchanged", "skipped"}


def test_intercom(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "export.json"
    source.write_text(json.dumps(INTERCOM))
    assert run("import_articles", source, "--publish")["exit"] == 0
    sizes = Article.objects.get(slug="sizes")
    assert (sizes.body, sizes.summary, sizes.status) == ("- S\n- M", "All sizes.", "published")
    assert ArticleTranslation.objects.get(article=sizes).title == "Tailles"
    assert set(deeds(run("import_articles", source)).values()) == {"unchanged"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv(run: Run, tmp_path: Path, separator: str) -> None:
    rows = [
        ["external_id", "title", "body", "format", "category", "status"],
        ["1", "Care", '"Wash, by hand."', "markdown", "product", ""],
        ["2", "Bold", "<b>Yes</b>", "html", "account", "draft"],
        ["3", "Odd", "x", "pdf", "", ""],
        ["4", "", "x", "", "", ""],
    ]
    source = tmp_path / "articles.csv"
    source.write_text("\n".join(separator.join(row) for row in rows), encoding="utf-8-sig")
    report = run("import_articles", source, "--publish")
    assert Article.objects.get(slug="care").body == "Wash, by hand."
    bold = Article.objects.get(slug="bold")
    assert (bold.body, bold.status) == ("**Yes**", "draft")
    assert report["exit"] == 1
    assert "articles.csv:4: format is 'pdf'" in whys(report)
    assert "articles.csv:5: has no title" in whys(report)


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>One<br>two</p><p>three</p>", "One\ntwo\n\nthree"),
        ("<h1>A</h1><h6>B</h6>", "## A\n\n#### B"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</ul>", "- a\n  - b\n- c"),
        ("<ol><li><p>a</p></li><li><p>b</p></li></ol>", "1. a\n2. b"),
        ("<p><b> a </b>and<i>b</i></p>", "**a** and*b*"),
        ("<table><tr><th>x</th><th>y</th></tr><tr><td>1|2</td></tr></table>", "| x | y |\n| --- | --- |\n| 1\\|2 |  |"),
        ("<pre>a\n `b`</pre>", "```\na\n `b`\n```"),
        ("<blockquote><p>q</p></blockquote>", "> q"),
        ("<p>* no list, # no heading, [no](/link) &lt;b&gt;</p>", "\\* no list, # no heading, \\[no\\](/link) \\<b\\>"),
        ("<p>1. not a list</p>", "1\\. not a list"),
        ("<p>- not a list</p>", "\\- not a list"),
        ("<style>p{}</style><script>alert(1)</script><p>x</p>", "x"),
        ('<a href="javascript:alert(1)">x</a> <a href="https://evil.example/">y</a>', "x y"),
        ('<a href="/help/z/">z</a>', "[z](/help/z/)"),
        ('<img src=x onerror=alert(1)><p onclick="x()">t</p>', "t"),
        ("<div>" * 5000 + "deep", "deep"),
        ("<p>unclosed <b>bold", "unclosed **bold**"),
        ("", ""),
    ],
)  # fmt: skip
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert to_markdown(html).markdown == markdown


@pytest.mark.parametrize(
    "text",
    ["a * b * c", "1. x", "# x", "<script>", "[x](/y)", "`code`", "- x", "a_b_c", "> q", "+ x", "--- x", "| a |"],
)
def test_plain_text_reads_as_it_did(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    rendered = render(to_markdown(f"<p>{escaped}</p>").markdown)
    assert rendered.strip() == f"<p>{escaped}</p>"


def test_what_is_lost_is_told() -> None:
    lost = to_markdown('<img src=a><img src=b><iframe src=v></iframe><a href="https://evil.example/">y</a>').lost
    assert lost == ["1 × iframe", "2 × image", "1 × link to a foreign site"]
