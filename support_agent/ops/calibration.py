"""Whether the assistant hands over when it should: what it did against what staff said, and what other thresholds
would have done. Only from judged turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from support_agent.agent.confidence import DEFAULT_THRESHOLD, THRESHOLDS
from support_agent.intervals import Estimate, kappa, weighted_share
from support_agent.ops.axes import FEW
from support_agent.ops.charts import PITCH, Line, Lines, line_path
from support_agent.ops.figures import NONE
from support_agent.ops.selectors.spot_labels import NO_PLAN, Labelled, threshold_of
from support_agent.templatetags.desk import percent

BUCKETS = (("under 0.35", 0.0, 0.35), ("0.35 to 0.5", 0.35, 0.5), ("0.5 to 0.7", 0.5, 0.7), ("0.7 to 0.85", 0.7, 0.85),
           ("0.85 and more", 0.85, 1.01))  # fmt: skip
UNKNOWN = "not known"
THRESHOLDS_TRIED = tuple(round(step * 0.05, 2) for step in range(21))
ALL = "all topics"
AGREEMENT = ((0.8, "almost full"), (0.6, "good"), (0.4, "fair"), (0.2, "slight"), (-1.0, "hardly better than chance"))


@dataclass(frozen=True, slots=True)
class Cell:
    """How many turns; `query` leads to them, `words` say what they are."""

    number: int
    query: str
    words: str


@dataclass(frozen=True, slots=True)
class BucketRow:
    """One stretch of confidence: handed over and rightly, needlessly; not handed over and missed, rightly."""

    name: str
    handed: Cell
    needless: Cell
    missed: Cell
    alone: Cell

    @property
    def cells(self) -> tuple[Cell, ...]:
        return self.handed, self.needless, self.missed, self.alone


@dataclass(frozen=True, slots=True)
class Tried:
    """What a threshold would have done: the shares of turns handed over, of needed ones missed, of handed ones
    needless; None of nothing."""

    threshold: float
    handed: float | None
    missed: float | None
    needless: float | None


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's judged turns under each threshold; `now` is the one in force."""

    name: str
    turns: int
    now: float
    tried: list[Tried]
    chart: Lines


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two people on the same answers; `value` is Cohen's kappa."""

    question: str
    pairs: int
    value: float | None
    same: int

    @property
    def words(self) -> str:
        if self.value is None:
            return "both always said the same" if self.pairs else "no pair yet"
        return next(words for least, words in AGREEMENT if self.value >= least)


@dataclass(frozen=True, slots=True)
class Calibration:
    turns: int
    rows: list[BucketRow]
    total: BucketRow
    missed: Estimate | None  # of turns that needed a person
    needless: Estimate | None  # of turns handed over
    topics: list[Topic]
    agreements: list[Agreement]

    @property
    def is_few(self) -> bool:
        return self.turns < FEW


def calibration(labels: Sequence[Labelled]) -> Calibration:
    names = [name for name, _, _ in BUCKETS] + [UNKNOWN]
    by_bucket = {name: [one for one in labels if bucket_of(one) == name] for name in names}
    topics = [ALL, *THRESHOLDS, NO_PLAN]
    return Calibration(
        turns=len(labels),
        rows=[_row(name, f"bucket={number}&", rows) for number, (name, rows) in enumerate(by_bucket.items()) if rows],
        total=_row("All", "", labels),
        missed=weighted_share((not one.escalated, one.weight) for one in labels if one.needed),
        needless=weighted_share((not one.needed, one.weight) for one in labels if one.escalated),
        topics=[topic for name in topics if (topic := _topic(name, labels)).turns],
        agreements=_agreements(labels),
    )


def bucket_of(one: Labelled) -> str:
    if one.confidence is None:
        return UNKNOWN
    return next((name for name, low, high in BUCKETS if low <= one.confidence < high), UNKNOWN)


def cell_of(labels: Iterable[Labelled], *, bucket: str = "", handed: str = "", needed: str = "") -> list[Labelled]:
    """The turns behind a cell: `bucket` by its number, `handed` and `needed` as '1', '0' or '' for either."""
    names = [name for name, _, _ in BUCKETS] + [UNKNOWN]
    wanted = names[int(bucket)] if bucket in map(str, range(len(names))) else ""
    return [
        one
        for one in labels
        if (not wanted or bucket_of(one) == wanted)
        and (handed not in ("0", "1") or one.escalated == (handed == "1"))
        and (needed not in ("0", "1") or one.needed == (needed == "1"))
    ]


def would_hand_over(one: Labelled, threshold: float) -> bool:
    """Rules stand whatever the threshold; doubt follows it; where confidence was never known, it is as it was."""
    if one.by_rule:
        return True
    return one.escalated if one.confidence is None else one.confidence < threshold


def tried(labels: Sequence[Labelled], threshold: float) -> Tried:
    handed = [(one, would_hand_over(one, threshold)) for one in labels]
    return Tried(
        threshold,
        _share((is_handed, one.weight) for one, is_handed in handed),
        _share((not is_handed, one.weight) for one, is_handed in handed if one.needed),
        _share((not one.needed, one.weight) for one, is_handed in handed if is_handed),
    )


def _row(name: str, query: str, rows: Sequence[Labelled]) -> BucketRow:
    def cell(handed: int, needed: int) -> Cell:
        number = sum(one.escalated == bool(handed) and one.needed == bool(needed) for one in rows)
        words = f"{'' if handed else 'not '}handed over, {'needed' if needed else 'not needed'}"
        return Cell(number, f"{query}handed={handed}&needed={needed}", words)

    return BucketRow(name, cell(1, 1), cell(1, 0), cell(0, 1), cell(0, 0))


def _topic(name: str, labels: Sequence[Labelled]) -> Topic:
    mine = [one for one in labels if name in (ALL, one.topic)]
    now = DEFAULT_THRESHOLD if name == ALL else threshold_of(name)
    found = [tried(mine, threshold) for threshold in THRESHOLDS_TRIED]
    lines = [
        _line("Missed", "solid", [one.missed for one in found]),
        _line("Needless", "dashed", [one.needless for one in found]),
        _line("Handed over", "dotted", [one.handed for one in found]),
    ]
    at = next((one for one in found if one.threshold == now), None)
    note = f"{len(mine)} judged turn{'s' * (len(mine) != 1)}"
    if len(mine) < FEW:
        note += ": too few to say"
    elif at is not None and name != ALL:
        note += f"; {now:g} now: {_percent(at.missed)} missed, {_percent(at.needless)} needless"
    labelled = [f"{one.threshold:g}" for one in found]
    chart = Lines(
        name.capitalize(), labelled, lines, "100%", len(found) * PITCH, [""] * len(found), note, head="Threshold"
    )
    return Topic(name, len(mine), now, found, chart)


def _line(name: str, style: str, numbers: list[float | None]) -> Line:
    return Line(name, line_path(numbers, 1.0), [_percent(value) for value in numbers], style)


def _percent(value: float | None) -> str:
    return NONE if value is None else percent(value)


def _share(rows: Iterable[tuple[bool, float]]) -> float | None:
    found = weighted_share(rows)
    return found.value if found else None


def _agreements(labels: Sequence[Labelled]) -> list[Agreement]:
    twice = [one for one in labels if len(one.needs) > 1]
    needs = [(one.needs[0], one.needs[1]) for one in twice]
    told = [(one.accuracies[0], one.accuracies[1]) for one in twice]
    return [
        Agreement("Should a person have taken over?", len(needs), kappa(needs), sum(a == b for a, b in needs)),
        Agreement("Is every statement right?", len(told), kappa(told), sum(a == b for a, b in told)),
    ]
