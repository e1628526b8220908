"""A folder of Markdown: one file an article, with YAML before it or without."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tickets.imports.items import Broken, Item, Unreadable, read_text
from tickets.languages import ENGLISH
from tickets.models.translations import Language

ENDINGS = (".md", ".markdown")
HEAD = re.compile(r"\A---[ \t]*\n(.*?\n)?---[ \t]*(?:\n|\Z)", re.DOTALL)
FIRST_HEADING = re.compile(r"\A\s*#[ \t]+(.+?)[ \t#]*(?:\n|\Z)")
MAX_HEAD = 8_000
FIELDS = {"title", "category", "summary", "keywords", "slug", "audience", "language", "status", "draft"}
LANGUAGES = {ENGLISH, *Language.values}
_IMAGE = re.compile(r"!\[([^\]\n]*)\]\([^)\n]*\)")
_LINK = re.compile(r"(\[[^\]\n]*\])\(([^)\s]+\.(?:md|markdown))(#[^)\s]*)?\)")


def read_folder(folder: Path) -> Iterator[Item | Broken]:
    """Every Markdown file below it, in order of its path; nothing that a link leads to outside of it."""
    root = folder.resolve()
    for path in sorted(_files(root)):
        name = path.relative_to(root).as_posix()
        external_id, language = _place(name)
        if not path.resolve().is_relative_to(root):
            yield Broken(name, "is a link to a file outside of the folder", external_id)
            continue
        if path.is_dir():
            yield Broken(name, "is a link to a folder; the folder itself is read, links to folders are not")
            continue
        try:
            yield _article(read_text(path), name, external_id, language)
        except (Unreadable, BadHead) as problem:
            yield Broken(name, str(problem), external_id)


class BadHead(Exception):
    """The YAML before the text cannot be used; the message says why."""


def _files(root: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in names if name.lower().endswith(ENDINGS) and name[0] != ".")
        yield from (Path(parent, name) for name in folders if Path(parent, name).is_symlink())


def _place(name: str) -> tuple[str, str]:
    """(its id, its language): `de/returns.md` and `returns.de.md` are `returns.md` in German."""
    stem, _, ending = name.rpartition(".")
    base, _, tail = stem.rpartition(".")
    if base and tail.lower() in LANGUAGES:
        return f"{base}.{ending}", tail.lower()
    first, _, rest = name.partition("/")
    if rest and first.lower() in LANGUAGES:
        return rest, first.lower()
    return name, ""


def _article(text: str, name: str, external_id: str, language: str) -> Item:
    head, line = _head(text)
    body = text[HEAD.match(text).end() :] if head is not None and (HEAD.match(text)) else text  # type: ignore[union-attr]
    fields = head or {}
    title = _text(fields, "title", line)
    if (found := FIRST_HEADING.match(body)) and title in ("", found[1].strip()):
        title, body = found[1].strip(), body[found.end() :]
    given = _text(fields, "language", line).lower()
    notes = [f"{len(images)} × image"] if (images := _IMAGE.findall(body)) else []
    notes += (
        [f"unknown fields before the text: {', '.join(unknown)}"] if (unknown := sorted(set(fields) - FIELDS)) else []
    )
    return Item(
        external_id=external_id,
        where=name,
        title=title,
        body=_LINK.sub(rf"\1({LINK_TO}\2\3)", _IMAGE.sub("", body)).strip(),
        category=_text(fields, "category", line),
        summary=_text(fields, "summary", line),
        keywords=_words(fields.get("keywords"), line),
        slug=_text(fields, "slug", line),
        audience=_text(fields, "audience", line) or None,
        language=given or language or ENGLISH,
        is_draft=fields.get("draft") is True or _text(fields, "status", line).lower() == "draft",
        notes=notes,
    )


LINK_TO = "import:"
"""Before the target of a link to another article of the same source, until its address here is known."""


def _head(text: str) -> tuple[dict[str, Any] | None, int]:
    """(the fields, the line they begin on); None without any. Raises BadHead."""
    if not (found := HEAD.match(text)):
        if text.startswith("---\n"):
            raise BadHead("line 1: the fields before the text are not closed by a line of ---")
        return None, 1
    if len(found[1] or "") > MAX_HEAD:
        raise BadHead(f"line 1: the fields before the text are longer than {MAX_HEAD:,} characters")
    try:
        fields = yaml.safe_load(found[1] or "") or {}
    except (yaml.YAMLError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        at = mark.line + 2 if mark else 1
        raise BadHead(f"line {at}: {getattr(problem, 'problem', None) or 'not YAML'}") from None
    if not isinstance(fields, dict):
        raise BadHead("line 2: fields such as title: Returns are expected")
    return {str(name).lower(): value for name, value in fields.items()}, 2


def _text(fields: dict[str, Any], name: str, line: int) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, (list, dict)):
        raise BadHead(f"line {line}: {name} is a list; one text is expected")
    return str(value).strip()


def _words(value: Any, line: int) -> list[str]:
    if value is None:
        return []
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or any(isinstance(word, (list, dict)) for word in words):
        raise BadHead(f"line {line}: keywords is a list of words, or one text with commas")
    return [str(word).strip() for word in words]
