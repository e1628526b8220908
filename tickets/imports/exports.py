"""Exports of other help centres: Zendesk Guide and Intercom, as their APIs answer. Bodies are HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tickets.imports.html import to_markdown
from tickets.imports.items import Broken, Item, Unreadable, read_text
from tickets.imports.markdown_folder import LINK_TO
from tickets.languages import ENGLISH, language_of

Json = dict[str, Any]
MAX_EXPORT = 200_000_000
_ARTICLE = re.compile(r"/articles/(\d+)")


def read_json(source: Path) -> list[tuple[str, Any]]:
    """(name, content) of the file, or of every .json of the folder. Raises Unreadable, which names the file."""
    files = sorted(source.glob("*.json")) if source.is_dir() else [source]
    found = []
    for path in files:
        if source.is_dir() and not path.resolve().is_relative_to(source.resolve()):
            raise Unreadable(f"{path.name} is a link to a file outside of the folder")
        try:
            found.append((path.name, json.loads(read_text(path, MAX_EXPORT))))
        except Unreadable as problem:
            raise Unreadable(f"{path.name} {problem}") from None
        except (ValueError, RecursionError) as problem:
            at = f" at line {problem.lineno}" if isinstance(problem, json.JSONDecodeError) else ""
            raise Unreadable(f"{path.name} is not JSON{at}") from None
    return found


def looks_like(files: Sequence[tuple[str, Any]]) -> str:
    """zendesk, intercom, or nothing."""
    for _, content in files:
        if isinstance(content, dict) and isinstance(content.get("articles"), list):
            return "zendesk"
        if _intercoms(content):
            return "intercom"
    return ""


def read_zendesk(files: Sequence[tuple[str, Any]]) -> Iterator[Item | Broken]:
    """`articles`, with `sections`, `categories` and `translations` of any of the files beside them."""
    rows: dict[str, list[tuple[str, Any]]] = {"articles": [], "sections": [], "categories": [], "translations": []}
    for name, content in files:
        for kind, kept in rows.items():
            listed = content.get(kind) if isinstance(content, dict) else None
            kept += [(f"{name} #{at}", row) for at, row in enumerate(listed, 1)] if isinstance(listed, list) else []
    sections = {str(row.get("id")): row for _, row in rows["sections"] if isinstance(row, dict)}
    names = {str(row.get("id")): str(row.get("name", "")) for _, row in rows["categories"] if isinstance(row, dict)}
    for where, row in rows["articles"]:
        if not isinstance(row, dict) or not row.get("id"):
            yield Broken(where, "is no article: it has no id")
            continue
        section = sections.get(str(row.get("section_id")), {})
        category = names.get(str(section.get("category_id")), "") or str(section.get("name", ""))
        # Whoever a user segment was for, it was not everybody.
        audience = "signed_in" if row.get("user_segment_id") else None
        notes = ["was for a user segment: now for signed-in customers"] if audience else []
        listed = row.get("translations")
        texts = [(where, one) for one in listed] if isinstance(listed, list) else []
        texts += [pair for pair in rows["translations"] if _source_id(pair[1]) == str(row["id"])]
        yield from _zendesk(row, where, category, audience, notes, texts)


def _zendesk(
    row: Json, where: str, category: str, audience: str | None, notes: list[str], texts: Sequence[tuple[str, Any]]
) -> Iterator[Item | Broken]:
    own = str(row.get("locale") or ENGLISH)
    labels = row.get("label_names")
    keywords = [str(label) for label in labels] if isinstance(labels, list) else []
    seen = {language_of(own)}
    yield _item(row["id"], where, row.get("title"), row.get("body"), own, bool(row.get("draft")), category=category,
                keywords=keywords, audience=audience, notes=notes)  # fmt: skip
    for at, one in texts:
        locale = str(one.get("locale", "")) if isinstance(one, dict) else ""
        if isinstance(one, dict) and language_of(locale) not in seen:
            seen.add(language_of(locale))
            is_draft = bool(one.get("draft"))
            yield _item(row["id"], f"{at} {locale}", one.get("title"), one.get("body"), locale, is_draft)


def read_intercom(files: Sequence[tuple[str, Any]]) -> Iterator[Item | Broken]:
    """`data` of `/articles`, or a list of them; texts in other languages from `translated_content`."""
    for name, content in files:
        for at, row in enumerate(_intercoms(content), 1):
            where = f"{name} #{at}"
            if not isinstance(row, dict) or not row.get("id"):
                yield Broken(where, "is no article: it has no id")
                continue
            own = str(row.get("default_locale") or ENGLISH)
            yield _item(row["id"], where, row.get("title"), row.get("body"), own, row.get("state") == "draft",
                        summary=str(row.get("description") or ""))  # fmt: skip
            others = row.get("translated_content")
            for locale, one in others.items() if isinstance(others, dict) else ():
                if isinstance(one, dict) and language_of(locale) != language_of(own) and one.get("body"):
                    yield _item(row["id"], f"{where} {locale}", one.get("title"), one.get("body"), locale,
                                one.get("state") == "draft", summary=str(one.get("description") or ""))  # fmt: skip


def _item(
    external_id: object,
    where: str,
    title: object,
    body: object,
    locale: str,
    is_draft: bool,
    *,
    category: str = "",
    summary: str = "",
    keywords: Sequence[str] = (),
    audience: str | None = None,
    notes: Sequence[str] = (),
) -> Item:
    converted = to_markdown(str(body or ""), _to_article)
    return Item(
        external_id=str(external_id),
        where=where,
        title=str(title or "").strip(),
        body=converted.markdown,
        category=category,
        summary=" ".join(summary.split()),
        keywords=list(keywords),
        audience=audience,
        language=locale.replace("_", "-").partition("-")[0].lower(),
        is_draft=is_draft,
        notes=[*notes, *converted.lost],
    )


def _to_article(href: str) -> str:
    """A link to another article of theirs, as one that will be led to it here."""
    return f"/{LINK_TO}{found[1]}" if (found := _ARTICLE.search(href)) else href


def _source_id(row: Any) -> str:
    return str(row.get("source_id", "")) if isinstance(row, Mapping) else ""


def _intercoms(content: Any) -> list[Any]:
    rows = content.get("data") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        return []
    return rows if any(isinstance(row, dict) and "body" in row and "title" in row for row in rows) else []
