"""The tables as files: `|` between the columns, `||` after those that name a row, `#` begins a remark.

`WRITE_MATRIX=1 .venv/bin/pytest tests/security/matrix` writes what is found into them; the difference is for a person
to read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
Key = tuple[str, ...]
Table = dict[Key, dict[str, str]]
"""Cells by column, by the row's key."""


def read(name: str) -> tuple[list[str], Table]:
    """(the lines before the rows, the table) of a file."""
    lines = (HERE / name).read_text().splitlines()
    begins = next(at for at, line in enumerate(lines) if "||" in line)
    _, columns = _split(lines[begins])
    table: Table = {}
    for line in lines[begins + 1 :]:
        key, cells = _split(line)
        assert len(cells) == len(columns), f"{name}: not as many cells as the head has: {line}"
        assert key not in table, f"{name}: {key} stands there twice"
        table[key] = dict(zip(columns, cells, strict=True))
    return lines[: begins + 1], table


def drawn(rows: Sequence[tuple[Key, Sequence[str]]]) -> list[str]:
    """Rows as lines of a file, one below the other."""
    cells = [[*key, *rest] for key, rest in rows]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    lines = []
    for key, rest in rows:
        padded = [cell.ljust(width) for cell, width in zip([*key, *rest], widths, strict=True)]
        lines.append(f"{' | '.join(padded[: len(key)])} || {' | '.join(padded[len(key) :])}".rstrip())
    return lines


def compare(name: str, found: Table) -> None:
    """Fails with the rows as they would have to stand in the file."""
    before, said = read(name)
    if os.environ.get("WRITE_MATRIX"):
        head, columns = _split(before[-1])
        rows = drawn([(head, columns), *[(key, [*cells.values()]) for key, cells in found.items()]])
        (HERE / name).write_text("\n".join([*before[:-1], *rows]) + "\n")
        return
    wrong = {key: cells for key, cells in found.items() if said.get(key) != cells}
    told = []
    for (key, cells), line in zip(wrong.items(), _lines(wrong), strict=True):
        was = f"there stands {said[key]}" if key in said else "there is no such row"
        told.append(f"{line}\n   {was}")
        assert key not in said or said[key].keys() == cells.keys(), f"{name} has other columns"
    assert not told, f"{name} does not hold. Found:\n" + "\n".join(told)
    surplus = [key for key in said if key not in found]
    assert not surplus, f"{name} has rows that nothing answers to: {surplus}"


def _lines(table: Mapping[Key, Mapping[str, str]]) -> list[str]:
    return drawn([(key, [*cells.values()]) for key, cells in table.items()]) if table else []


def _split(line: str) -> tuple[Key, list[str]]:
    named, _, rest = line.partition("||")
    return tuple(cell.strip() for cell in named.split("|")), [cell.strip() for cell in rest.split("|")]
