"""A folder of Markdown becomes the help centre, and stays in step with it without undoing what staff wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import translation

from tests.imports.conftest import Run, deeds, whys
from tickets.audience import EVERYONE
from tickets.models import Article, ArticleSection, ArticleTranslation, SearchIndex
from tickets.search import search
from tickets.services import articles
from tickets.services.articles import article_delete, article_save

RETURNS = """---
title: Send something back
category: billing
keywords: [refund, KB-12]
audience: signed_in
summary: Within 30 days.
slug: send-back
---

You have 30 days. See [delivery](ship/times.md#express) and [gone](nowhere.md). ![a label](label.png)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "handbook"
    (root / "ship").mkdir(parents=True)
    (root / "returns.md").write_text(RETURNS, encoding="utf-8")
    (root / "ship" / "times.md").write_text(
        "# Delivery times\n\nThree to five days.\n\n## Express\n\nOne day.\n", encoding="utf-8"
    )
    (root / "returns.de.md").write_text("# Zurückschicken\n\nInnerhalb von 30 Tagen.\n", encoding="utf-8-sig")
    return root


def test_articles_translations_links_and_images(run: Run, folder: Path) -> None:
    report = run("import_articles", folder, "--publish")
    assert report["exit"] == 0
    assert deeds(report) == dict.fromkeys(["returns.md", "ship/times.md", "returns.de.md"], "created")
    returns = Article.objects.get(slug="send-back")
    assert (returns.category, returns.audience, returns.status) == ("billing", "signed_in", "published")
    assert returns.keywords == "refund, KB-12"
    assert returns.body == "You have 30 days. See [delivery](/help/delivery-times/#express) and gone."
    times = Article.objects.get(slug="delivery-times")
    assert times.body.startswith("Three to five days.")
    assert times.audience == "everyone"
    german = ArticleTranslation.objects.get(article=returns)
    assert (german.language, german.title, german.status) == ("de", "Zurückschicken", "published")
    notes = [f"{one['where']}: {one['note']}" for one in report["notes"]]
    assert "returns.md: left out: 1 × image" in notes
    assert any("ship/times.md: has no category: put into product" in note for note in notes)
    with translation.override("en"):
        assert search("express delivery", readers=EVERYONE)[0].slug == "delivery-times"


def test_a_dry_run_says_the_same_and_writes_nothing(run: Run, folder: Path) -> None:
    dry = run("import_articles", folder, "--dry-run")
    assert not Article.objects.exists()
    assert not SearchIndex.objects.exists()
    wet = run("import_articles", folder)
    assert (dry["lines"], dry["notes"], dry["counts"]) == (wet["lines"], wet["notes"], wet["counts"])
    assert set(Article.objects.values_list("status", flat=True)) == {"draft"}


def test_a_second_run_changes_only_what_changed_there(run: Run, folder: Path) -> None:
    run("import_articles", folder, "--publish")
    before = dict(ArticleSection.objects.values_list("id", "digest"))
    assert set(deeds(run("import_articles", folder, "--publish")).values()) == {"unchanged"}
    (folder / "ship" / "times.md").write_text("# Delivery times\n\nTwo days.\n", encoding="utf-8")
    report = run("import_articles", folder)
    assert deeds(report)["ship/times.md"] == "updated"
    assert report["counts"]["unchanged"] == 2
    assert Article.objects.get(slug="delivery-times").status == "published", "published before, and not taken back"
    assert dict(ArticleSection.objects.exclude(article__slug="delivery-times").values_list("id", "digest")).items() <= (
        before.items()
    )


def test_what_staff_edited_stays_until_one_says_otherwise(run: Run, folder: Path) -> None:
    run("import_articles", folder, "--publish")
    article_save(slug="delivery-times", title="Delivery", category="product", body="Ours.", status="published")
    assert deeds(run("import_articles", folder))["ship/times.md"] == "unchanged", "nothing changed there"
    (folder / "ship" / "times.md").write_text("# Delivery times\n\nTwo days.\n", encoding="utf-8")
    report = run("import_articles", folder)
    assert deeds(report)["ship/times.md"] == "conflict"
    assert "edited here since" in whys(report)
    assert report["exit"] == 0
    assert Article.objects.get(slug="delivery-times").body == "Ours."
    assert deeds(run("import_articles", folder, "--overwrite"))["ship/times.md"] == "updated"
    assert Article.objects.get(slug="delivery-times").body == "Two days."


def test_what_staff_deleted_does_not_come_back_by_itself(run: Run, folder: Path) -> None:
    run("import_articles", folder)
    article_delete(article=Article.objects.get(slug="delivery-times"))
    assert deeds(run("import_articles", folder))["ship/times.md"] == "unchanged"
    (folder / "ship" / "times.md").write_text("# Delivery times\n\nTwo days.\n", encoding="utf-8")
    assert deeds(run("import_articles", folder))["ship/times.md"] == "conflict"
    assert deeds(run("import_articles", folder, "--overwrite"))["ship/times.md"] == "created"


def test_what_vanished_is_told_once_and_retired_when_asked(run: Run, folder: Path) -> None:
    run("import_articles", folder, "--publish")
    kept = (folder / "ship" / "times.md").read_bytes()
    (folder / "ship" / "times.md").unlink()
    assert deeds(run("import_articles", folder))["ship/times.md"] == "vanished"
    assert "ship/times.md" not in deeds(run("import_articles", folder))
    assert deeds(run("import_articles", folder, "--retire"))["ship/times.md"] == "retired"
    assert Article.objects.get(slug="delivery-times").status == "draft"
    assert search("express delivery", readers=EVERYONE) == []
    (folder / "ship" / "times.md").write_bytes(kept)
    assert deeds(run("import_articles", folder))["ship/times.md"] == "updated"


def test_drafts_that_nobody_touched_are_published_by_a_later_run(run: Run, folder: Path) -> None:
    run("import_articles", folder)
    report = run("import_articles", folder, "--publish")
    assert report["counts"]["updated"] == 3
    assert set(Article.objects.values_list("status", flat=True)) == {"published"}


def test_an_article_that_was_here_before_is_not_taken_over(run: Run, folder: Path) -> None:
    article_save(slug="send-back", title="Ours", category="product", body="Ours.")
    report = run("import_articles", folder)
    assert deeds(report)["returns.md"] == "conflict"
    assert Article.objects.get(slug="send-back").body == "Ours."


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.md", b"No heading, no title.", "has no title"),
        ("a.md", b"# Empty", "has no text"),
        ("a.md", b"\xff\xfe\x00\xd8 # x", "is not UTF-8"),
        ("a.md", "# Grün\n\nx".encode("latin-1"), "is not UTF-8: byte 4"),
        ("a.md", b"---\ntitle: [a\n---\nx", "line "),
        ("a.md", b"---\ntitle: a\nx", "not closed"),
        ("a.md", b"---\ntitle: a\nslug: Not a slug\n---\nx", "slug is 'Not a slug'"),
        ("a.md", b"---\ntitle: a\nslug: suggest\n---\nx", "a page of the help centre"),
        ("z.md", b"---\ntitle: a\nslug: send-back\n---\nx", "already that of"),
        ("z.md", b"---\ntitle: a\naudience: vip\n---\nx", "audience is 'vip'"),
        ("a.md", b"---\ntitle: a\nlanguage: tlh\n---\nx", "a language we do not speak"),
        ("b.de.md", b"# Nur deutsch\n\nx", "there is no English text of it"),
        ("a.md", b"# x\n\n" + b"y" * 1_000_001, "1,000,000 are the most"),
        ("a.md", b"# " + b"t" * 200 + b"\n\nx", "title: "),
    ],
)  # fmt: skip
def test_what_is_broken_is_named_and_stops_nothing(run: Run, folder: Path, name: str, content: bytes, why: str) -> None:
    (folder / name).write_bytes(content)
    report = run("import_articles", folder)
    assert report["exit"] == 1
    assert why in whys(report)
    assert report["counts"]["skipped"] == 1
    assert report["counts"]["created"] >= 2


def test_links_out_of_the_folder_are_not_followed(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n\nA key.")
    os.symlink(tmp_path / "secret.md", folder / "inside.md")
    os.symlink(folder, folder / "loop")
    os.symlink(tmp_path, folder / "up")
    report = run("import_articles", folder)
    assert report["counts"]["created"] == 3
    assert deeds(report)["inside.md"] == deeds(report)["up"] == deeds(report)["loop"] == "skipped"
    assert not Article.objects.filter(body__contains="A key").exists()


@pytest.mark.parametrize(
    "arguments", [["/nowhere"], [".", "--format", "html"], [".", "--category", "shoes"], [".", "--audience", "vip"]]
)
def test_a_wrong_argument_is_named(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("import_articles", *arguments)
    assert refused.value.returncode in (1, 2)


def test_the_report_is_a_file_too(run: Run, folder: Path, tmp_path: Path) -> None:
    run("import_articles", folder, "--report", tmp_path / "report.json")
    assert '"created"' in (tmp_path / "report.json").read_text()


def test_many_articles_are_one_new_index_for_other_processes(run: Run, folder: Path) -> None:
    versions = set()
    run("import_articles", folder, "--publish")
    versions.add(SearchIndex.objects.get().version)
    for n in range(30):
        (folder / f"n{n}.md").write_text(f"# Number {n}\n\nText {n}.")
    written: list[object] = []
    real = articles.index_changed
    articles.index_changed = lambda: (real(), written.append(SearchIndex.objects.get().version))[0]  # type: ignore[func-returns-value]
    try:
        run("import_articles", folder, "--publish")
    finally:
        articles.index_changed = real
    assert len(set(written)) == 2, "the old one while it works, and one new one"
