"""gettext's two kinds of files, read in plain Python: CI has no gettext."""

from __future__ import annotations

import ast
import struct
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Entry:
    """One message of a .po file; `context` and `plural` are empty when it has none."""

    msgid: str = ""
    context: str = ""
    plural: str = ""
    texts: list[str] = field(default_factory=list)
    fuzzy: bool = False
    obsolete: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.context, self.msgid


def read_po(path: Path) -> list[Entry]:
    """Every entry of a .po file, the header (with an empty msgid) first."""
    return [_entry(block.splitlines()) for block in path.read_text(encoding="utf-8").split("\n\n") if "msgid" in block]


def _entry(lines: list[str]) -> Entry:
    entry, into = Entry(), ""
    parts: dict[str, str] = {}
    for line in lines:
        if line.startswith("#~"):
            entry.obsolete = True
            line = line[2:].strip()
        if line.startswith("#,"):
            entry.fuzzy |= "fuzzy" in line
        if line.startswith("msg"):
            into, _, line = line.partition(" ")
        if line.startswith('"') and into:
            parts[into] = parts.get(into, "") + ast.literal_eval(line)
    entry.msgid, entry.context = parts.get("msgid", ""), parts.get("msgctxt", "")
    entry.plural = parts.get("msgid_plural", "")
    entry.texts = [text for name, text in parts.items() if name.startswith("msgstr")]
    return entry


def read_mo(path: Path) -> dict[str, str]:
    """msgid (with its context before \\x04) to text; plurals are joined by \\0, as the file has them."""
    data = path.read_bytes()
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, ids, texts = struct.unpack(f"{order}3I", data[8:20])

    def string(table: int, row: int) -> str:
        length, offset = struct.unpack_from(f"{order}2I", data, table + 8 * row)
        return data[offset : offset + length].decode()

    return {string(ids, row): string(texts, row) for row in range(count)}
