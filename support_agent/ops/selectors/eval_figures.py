"""The figures of an evaluation run as its pages show them: shares with their intervals, what was wanted, what spoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from support_agent.models import EvalRun, RunState
from support_agent.runtime.eval_rows import LIVE

WANTED = {"pass": ("cases passed", "pass_hat_k"), "adversarial": ("adversarial held", "adversarial_share")}
"""Thresholds by their names: what they are about, and where the summary has it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share from 0 to 1 with its 95 % interval; None where nothing was measured."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def read(cls, told: object) -> Rate:
        if isinstance(told, Mapping):
            return cls(*(_share(told.get(name)) for name in ("value", "low", "high")))
        return cls(_share(told))

    @property
    def has_interval(self) -> bool:
        return self.low is not None and self.high is not None


@dataclass(frozen=True, slots=True)
class Bar:
    """A rate drawn on a scale of 100 from `floor` on: where its interval begins, how wide it is, where its value is."""

    x: float
    width: float
    at: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """One thing a run had to reach; `is_held` is None while it is not known."""

    name: str
    wanted: float
    reached: float | None
    is_held: bool | None


@dataclass(frozen=True, slots=True)
class Spoke:
    """A prompt that spoke in a run; `number` is '' for the file's text."""

    name: str
    number: str

    @property
    def label(self) -> str:
        return f"{self.name} {self.number or 'file'}"


@dataclass(frozen=True, slots=True)
class RunFigures:
    """`verdict` is passed, failed, stopped (it did not come to its end), queued, running or '' (nothing was asked)."""

    cases: int
    passed: int
    failed: int
    skipped: int
    pass_at_1: Rate
    pass_hat_k: Rate
    k: int
    adversarial: int
    adversarial_held: int
    over_budget: int
    tokens_in: int
    tokens_out: int
    cost_per_case: float | None
    took_ms: int | None
    verdict: str
    thresholds: tuple[Threshold, ...]
    spoke: tuple[Spoke, ...]

    @property
    def goes_on(self) -> bool:
        return self.verdict in LIVE

    @property
    def missed(self) -> tuple[Threshold, ...]:
        return tuple(one for one in self.thresholds if one.is_held is False)

    @property
    def has_saved(self) -> bool:
        """Whether a version spoke in place of a file."""
        return any(one.number for one in self.spoke)

    @property
    def judged(self) -> int:
        """The cases that were not skipped: what the shares are of."""
        return self.passed + self.failed

    @property
    def lost(self) -> int:
        """How many adversarial cases were not held."""
        return self.adversarial - self.adversarial_held


def run_figures(run: EvalRun) -> RunFigures:
    """What the run's own row says of it: no query."""
    told = run.summary if isinstance(run.summary, dict) else {}
    return RunFigures(
        cases=_number(told.get("cases")) or run.total,
        passed=_number(told.get("passed")),
        failed=_number(told.get("failed")),
        skipped=_number(told.get("skipped")),
        pass_at_1=Rate.read(told.get("pass_at_1")),
        pass_hat_k=Rate.read(told.get("pass_hat_k")),
        k=_number(told.get("k")) or run.repeat,
        adversarial=_number(told.get("adversarial")),
        adversarial_held=_number(told.get("adversarial_held")),
        over_budget=_number(told.get("over_budget")),
        tokens_in=_number(told.get("tokens_in")),
        tokens_out=_number(told.get("tokens_out")),
        cost_per_case=_float(told.get("cost_per_case")),
        took_ms=_took_ms(run, told),
        verdict=_verdict(run),
        thresholds=tuple(_thresholds(run.thresholds, told)),
        spoke=spoke_of(run.prompts),
    )


def bar_of(rate: Rate, floor: float) -> Bar | None:
    """On the scale from `floor` to 1."""
    if rate.value is None or floor >= 1:
        return None

    def place(share: float) -> float:
        return round(max(0.0, (share - floor) / (1 - floor)) * 100, 1)

    low, high = (rate.low, rate.high) if rate.low is not None and rate.high is not None else (rate.value, rate.value)
    return Bar(place(low), max(1.0, round(place(high) - place(low), 1)), min(99.0, place(rate.value)))


def floor_of(rates: Sequence[Rate]) -> float:
    """Where a scale for all of these begins: the next full tenth below the lowest, at most 0.9."""
    lows = [share for rate in rates if (share := rate.low if rate.low is not None else rate.value) is not None]
    return min(0.9, int(min(lows) * 10) / 10) if lows else 0.0


def spoke_of(prompts: object) -> tuple[Spoke, ...]:
    """Which prompts spoke, by name: {"assistant": 3, "planner": None}."""
    if not isinstance(prompts, Mapping):
        return ()
    return tuple(Spoke(str(name), "" if number is None else str(number)) for name, number in sorted(prompts.items()))


def _verdict(run: EvalRun) -> str:
    if run.state in LIVE:
        return str(run.state)
    if run.state == RunState.FAILED:
        return "stopped"
    return "" if run.is_passed is None else "passed" if run.is_passed else "failed"


def _took_ms(run: EvalRun, told: Mapping[str, Any]) -> int | None:
    """From its start to its end: what somebody waited. The sum of its cases' times where it has no end."""
    if run.started_at and run.finished_at:
        return round((run.finished_at - run.started_at).total_seconds() * 1000)
    seconds = _float(told.get("seconds"))
    return None if seconds is None else round(seconds * 1000)


def _thresholds(wanted: object, told: Mapping[str, Any]) -> list[Threshold]:
    if not isinstance(wanted, Mapping):
        return []
    found = []
    for name, least in wanted.items():
        label, key = WANTED.get(str(name), (str(name).replace("_", " "), str(name)))
        share, reached = _share(least), Rate.read(told.get(key)).value
        if key == "adversarial_share" and not _number(told.get("adversarial")):
            reached = None  # there were none
        if share is not None:
            found.append(Threshold(label, share, reached, None if reached is None else reached >= share))
    return found


def _share(told: object) -> float | None:
    number = _float(told)
    return None if number is None else min(1.0, max(0.0, number))


def _float(told: object) -> float | None:
    """A number, also one that JSON keeps as text."""
    if isinstance(told, bool) or not isinstance(told, int | float | str):
        return None
    try:
        return float(told)
    except ValueError:
        return None


def _number(told: object) -> int:
    return round(_float(told) or 0)
