"""What the readers of articles yield."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from tickets.languages import ENGLISH

MAX_BYTES = 1_000_000
"""Of one article's file: the longest article anybody reads has a tenth of it."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What could not be read, and why; `external_id` when it is known, so that it does not count as vanished."""

    where: str
    why: str
    external_id: str = ""


@dataclass(slots=True)
class Item:
    """An article, or its texts in another `language`: both have the same `external_id`. `body` is Markdown; `category`
    is the source's own word; `audience` None says that the source knows of none."""

    external_id: str
    where: str
    title: str
    body: str
    category: str = ""
    summary: str = ""
    keywords: list[str] = field(default_factory=list)
    slug: str = ""
    audience: str | None = None
    language: str = ENGLISH
    is_draft: bool = False
    notes: list[str] = field(default_factory=list)

    def digest(self) -> str:
        """Of all that the source says of it, whatever else is around it."""
        told = [self.title, self.body, self.category, self.summary, self.keywords, self.audience, self.language]
        return digest_of([*told, self.slug, self.is_draft])


class Unreadable(Exception):
    """A file that is too large, or is no text; the message says so."""


def digest_of(values: object) -> str:
    """SHA-256 of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest()


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """A file's text, whatever byte order mark it begins with. Raises Unreadable."""
    try:
        if (size := path.stat().st_size) > most:
            raise Unreadable(f"has {size:,} bytes; {most:,} are the most")
        raw = path.read_bytes()
    except OSError as problem:
        raise Unreadable(f"cannot be opened: {problem.strerror}") from None
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as problem:
        raise Unreadable(f"is not UTF-8: byte {problem.start}; save it as UTF-8") from None
    if "\x00" in text:
        raise Unreadable("holds zero bytes, so it is no text")
    return text.replace("\r\n", "\n")
