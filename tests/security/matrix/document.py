"""`python -m tests.security.matrix.document` renews docs/permissions.md from the tables and about.md."""

from __future__ import annotations

from collections.abc import Sequence

from tests.security.matrix.table import HERE, Table, read

TARGET = HERE.parents[2] / "docs" / "permissions.md"
WORDS = {
    "login": "sign-in",
    "401": "–",
    "403": "–",
    "405": "–",
    "404": "nothing",
    "-": "–",
    "not_found": "nothing",
    "closed": "–",
}
PARTS = [
    ("pages.csv", "Addresses of customers and programs"),
    ("staff_pages.csv", "Addresses of the desk"),
    ("admin_models.csv", "Records in the admin"),
    ("sockets.csv", "Sockets, and the frames of the inbox"),
    ("frames.csv", "Frames of the customers' socket"),
    ("tool_arguments.csv", "What the assistant's tools can name"),
]
NOTES = {
    "admin_models.csv": "v: see, a: add, c: change, d: delete.",
    "tool_arguments.csv": "Whatever an order number, SKU or e-mail address names, it is looked for among the "
    "conversation's own verified customer's alone. An *address* is only written down.",
}


def page() -> str:
    parts = [(HERE / "about.md").read_text()]
    for name, title in PARTS:
        before, table = read(name)
        keys = [cell.strip() for cell in before[-1].partition("||")[0].split("|")]
        note = f"{NOTES[name]}\n\n" if name in NOTES else ""
        parts.append(f"## {title}\n\n{note}{_markdown(keys, table)}")
    return "\n".join(parts)


def _markdown(keys: Sequence[str], table: Table) -> str:
    columns = list(next(iter(table.values())))
    lines = [_line([*keys, *columns]), _line(["---"] * (len(keys) + len(columns)))]
    for key, cells in table.items():
        named = [f"`{key[0]}`", *key[1:]]
        lines.append(_line([*named, *(_word(cell) for cell in cells.values())]))
    return "\n".join(lines) + "\n"


def _word(cell: str) -> str:
    if cell.isdecimal() and cell not in WORDS:
        return f"closed {cell}" if len(cell) == 4 else "yes"
    return WORDS.get(cell, cell)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    TARGET.write_text(page())
