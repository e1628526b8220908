"""`manage.py import_articles SOURCE`: a company's articles into the help centre, as often as it likes."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.progress import Progress

from support_agent.management.base import OpsCommand
from tickets.imports import exports
from tickets.imports.articles import Wishes, import_articles
from tickets.imports.csv_articles import read_csv
from tickets.imports.items import Broken, Item, Unreadable
from tickets.imports.markdown_folder import ENDINGS, read_folder
from tickets.imports.report import Report
from tickets.imports.rows import WrongFile
from tickets.models import Article

FORMATS = ("auto", "markdown", "csv", "zendesk", "intercom")


def _category(value: str) -> tuple[str, str]:
    """('', ours) for all, or (the source's word, ours)."""
    theirs, _, ours = value.rpartition("=")
    if ours not in Article.Category.values:
        raise ArgumentTypeError(f"{ours!r} is no category; there are {', '.join(Article.Category.values)}")
    return theirs.strip().lower(), ours


class Command(OpsCommand):
    help = "Import articles from a folder of Markdown, a CSV file, or an export of Zendesk Guide or Intercom."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="a folder or a file")
        parser.add_argument("--format", choices=FORMATS, default="auto")
        parser.add_argument(
            "--name", default="", help="what the source is called from one import to the next (its name)"
        )
        parser.add_argument(
            "--category", type=_category, action="append", default=[], metavar="[THEIRS=]OURS",
            help="the category of all that name none of ours, or of those that name THEIRS; several times",
        )  # fmt: skip
        parser.add_argument("--audience", choices=Article.Audience.values, default=Article.Audience.EVERYONE.value)
        parser.add_argument("--publish", action="store_true", help="what is no draft there is published here")
        parser.add_argument("--overwrite", action="store_true", help="take the source's over what was edited here")
        parser.add_argument("--retire", action="store_true", help="what is gone there becomes a draft here")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, print the same report")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the whole report, as JSON")

    def handle(self, *args: Any, source: Path, dry_run: bool, report: Path | None, **options: Any) -> None:
        began = time.monotonic()
        kind, found = self._read(source, options["format"])
        words = dict(options["category"])
        wishes = Wishes(
            source=f"{kind}:{options['name'] or source.resolve().name}"[:160],
            category=words.pop("", ""),
            categories=words,
            audience=options["audience"],
            publish=options["publish"],
            overwrite=options["overwrite"],
            retire=options["retire"],
            dry_run=dry_run,
        )
        told = Report("Articles", wishes.source, dry_run)
        with Progress(disable=options["json"] or not self.stdout.isatty()) as progress:
            task = progress.add_task("Articles", total=sum(isinstance(one, Item) for one in found))
            import_articles(found, wishes=wishes, report=told, step=lambda count: progress.advance(task, count))
        told.seconds = time.monotonic() - began
        tell(self, told, as_json=options["json"], file=report)

    def _read(self, source: Path, wanted: str) -> tuple[str, list[Item | Broken]]:
        """(the format, everything found). Raises CommandError for a source that is none."""
        if not source.exists():
            raise CommandError(f"{source}: there is no such file or folder", returncode=2)
        try:
            kind = wanted if wanted != "auto" else _format_of(source)
            return kind, list(_reader(kind, source))
        except (Unreadable, WrongFile) as problem:
            raise CommandError(str(problem), returncode=2) from None


def _format_of(source: Path) -> str:
    if source.is_file() and source.suffix.lower() in (".csv", ".tsv"):
        return "csv"
    if source.is_file() and source.suffix.lower() != ".json":
        raise Unreadable(f"{source}: a folder of Markdown, a .csv or a .json is expected; --format says which")
    if source.is_dir() and not any(source.glob("*.json")):
        if any(path.name.lower().endswith(ENDINGS) for path in source.rglob("*")):
            return "markdown"
        raise Unreadable(f"{source}: holds neither Markdown (.md) nor an export (.json)")
    if kind := exports.looks_like(exports.read_json(source)):
        return kind
    if source.is_dir() and any(path.name.lower().endswith(ENDINGS) for path in source.rglob("*")):
        return "markdown"
    raise Unreadable(f"{source}: neither an export of Zendesk (articles) nor one of Intercom (data)")


def _reader(kind: str, source: Path) -> Iterator[Item | Broken]:
    match kind:
        case "markdown":
            if not source.is_dir():
                raise Unreadable(f"{source}: a folder of Markdown is expected")
            return read_folder(source)
        case "csv":
            return read_csv(source)
    files = exports.read_json(source)
    if exports.looks_like(files) != kind:
        raise Unreadable(f"{source}: no articles of {kind.title()} are in it")
    return exports.read_zendesk(files) if kind == "zendesk" else exports.read_intercom(files)


def tell(command: OpsCommand, report: Report, *, as_json: bool, file: Path | None) -> None:
    """Print the report, write it, and exit with 1 when something was skipped as broken."""
    if file is not None:
        try:
            file.write_text(json.dumps(report.as_json(), indent=2, ensure_ascii=False), encoding="utf-8")
        except OSError as problem:
            raise CommandError(f"{file}: {problem.strerror}; the import itself is done", returncode=2) from None
    if as_json:
        command.print_json(report.as_json())
    else:
        command.stdout.write("\n".join(report.as_text()))
    if not report.is_whole:
        sys.exit(1)
