"""Charts as numbers of their own small SVG: columns over time, ranked bars, lines. Labels and values stay text.

Nothing here is told by colour alone: columns have their values in a table, lines differ in their dashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEIGHT, PITCH, GAP = 100, 10, 2
LEAST = 1.5  # so that one among thousands is still seen


@dataclass(frozen=True, slots=True)
class Column:
    """One bar: `label` says what it stands for, `href` leads to the conversations behind it."""

    label: str
    value: str
    href: str
    height: float
    x: int
    is_partial: bool = False

    @property
    def y(self) -> float:
        return HEIGHT - self.height

    @property
    def width(self) -> int:
        return PITCH - GAP


@dataclass(frozen=True, slots=True)
class Columns:
    title: str
    columns: list[Column]
    total: str
    change: str = ""
    note: str = ""
    top: str = ""
    noun: str = ""
    kind: str = "columns"

    @property
    def width(self) -> int:
        return max(1, len(self.columns)) * PITCH

    @property
    def is_empty(self) -> bool:
        return not any(column.height for column in self.columns)

    @property
    def highest(self) -> Column | None:
        return max(self.columns, key=lambda column: column.height, default=None)

    @property
    def is_long(self) -> bool:
        return len(self.columns) > 40


@dataclass(frozen=True, slots=True)
class Point:
    """What one bar stands for, before it is drawn."""

    label: str
    number: float
    value: str
    href: str = ""


def columns(
    title: str, points: Iterable[Point], *, total: str, change: str = "", note: str = "", noun: str = "",
    is_running: bool = False,
) -> Columns:  # fmt: skip
    """`is_running`: the last one is not over yet."""
    shown = list(points)
    most = max((point.number for point in shown), default=0)
    drawn = [
        Column(
            label=point.label,
            value=point.value,
            href=point.href,
            height=round(max(LEAST, point.number / most * HEIGHT), 1) if point.number > 0 else 0,
            x=number * PITCH + GAP // 2,
            is_partial=is_running and number == len(shown) - 1,
        )
        for number, point in enumerate(shown)
    ]
    top = next((point.value for point in shown if point.number == most and most), "")
    return Columns(title, drawn, total, change, note, top, noun)


@dataclass(frozen=True, slots=True)
class Bar:
    """One of a ranked list; `cells` stand between its name and its value, `width` is of 100."""

    name: str
    value: str
    width: int
    href: str = ""
    cells: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    title: str
    bars: list[Bar]
    empty: str
    note: str = ""
    left_out: int = 0
    kind: str = "ranked"


def ranked(
    title: str, rows: Iterable[tuple[Bar, float]], *, empty: str, note: str = "", most: int = 8, of_all: bool = True
) -> Ranked:
    """Bars by their numbers, the largest first; `of_all` draws shares of the sum, else of the largest."""
    found = sorted(rows, key=lambda row: (-row[1], row[0].name))
    whole = (sum(number for _, number in found) if of_all else max((number for _, number in found), default=0)) or 1
    bars = [
        Bar(bar.name, bar.value, round(max(0.0, number) / whole * 100), bar.href, bar.cells, bar.note)
        for bar, number in found[:most]
    ]
    return Ranked(title, bars, empty, note, max(0, len(found) - most))


@dataclass(frozen=True, slots=True)
class Line:
    """One line: pieces of a path where there are values, and its values as text for the table."""

    name: str
    path: str
    values: list[str]
    style: str  # solid, dashed, dotted


@dataclass(frozen=True, slots=True)
class Lines:
    title: str
    labels: list[str]
    lines: list[Line]
    top: str
    width: int
    hrefs: list[str]
    note: str = ""
    kind: str = "lines"
    head: str = "From"  # what the labels are

    @property
    def is_empty(self) -> bool:
        return not any(line.path for line in self.lines)

    @property
    def rows(self) -> list[tuple[str, str, list[str]]]:
        """(label, href, one value a line): the table under the chart."""
        return [
            (label, href, [line.values[number] for line in self.lines])
            for number, (label, href) in enumerate(zip(self.labels, self.hrefs, strict=True))
        ]


def line_path(numbers: Sequence[float | None], most: float) -> str:
    """An SVG path through the middles of the columns; a gap where nothing is known, a short dash for a lone value."""
    path, is_open = [], False
    for place, number in enumerate(numbers):
        if number is None or not most:
            is_open = False
            continue
        x, y = place * PITCH + PITCH / 2, round(HEIGHT - number / most * (HEIGHT - 4) - 2, 1)
        path.append(f"L{x:g} {y:g}" if is_open else f"M{x - 1:g} {y:g}L{x + 1:g} {y:g}")
        is_open = True
    return "".join(path)
