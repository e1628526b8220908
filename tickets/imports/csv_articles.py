"""Articles in a spreadsheet: one row an article, or its texts in another language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tickets.imports.html import to_markdown
from tickets.imports.items import Broken, Item
from tickets.imports.rows import BadValue, Row, read_rows
from tickets.languages import ENGLISH

COLUMNS = ("external_id", "title", "body", "format", "category", "summary", "keywords", "slug", "audience", "language",
           "status")  # fmt: skip
REQUIRED = ("title", "body")


def read_csv(path: Path) -> Iterator[Item | Broken]:
    """Rows of COLUMNS; without an external_id the slug, else the title, tells an article from others. Raises
    WrongFile."""
    for row in read_rows(path, required=REQUIRED, known=COLUMNS):
        where = f"{path.name}:{row.line}"
        try:
            yield _article(row, where)
        except BadValue as problem:
            yield Broken(where, str(problem), row.text("external_id") or row.text("slug") or row.text("title"))


def _article(row: Row, where: str) -> Item:
    if row.wrong:
        raise BadValue(row.wrong)
    body, notes = row.text("body"), []
    if row.choice("format", ("markdown", "html"), "markdown") == "html":
        converted = to_markdown(body)
        body, notes = converted.markdown, converted.lost
    return Item(
        external_id=row.text("external_id") or row.text("slug") or row.text("title"),
        where=where,
        title=row.text("title"),
        body=body,
        category=row.text("category"),
        summary=row.text("summary"),
        keywords=[word.strip() for word in row.text("keywords").split(",") if word.strip()],
        slug=row.text("slug"),
        audience=row.text("audience") or None,
        language=row.text("language").lower() or ENGLISH,
        is_draft=row.choice("status", ("published", "draft"), "published") == "draft",
        notes=notes,
    )
