"""Replays for the pages: lists, the choices of the form, and one replay beside its original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from support_agent.models import PromptVersion, Replay, Step, Turn
from support_agent.ops.selectors.prompts import NAMES, Line, compared
from support_agent.runtime.replay import configured_models
from support_agent.runtime.replay_compare import Comparison, Pair, Side, compare
from support_agent.runtime.step_json import in_order
from support_agent.templatetags.desk import count, pretty, span, usd
from tickets.models import Message

PAGE = 50


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers: (value, label) each."""

    steps: list[tuple[str, str]]
    models: list[tuple[str, str]]
    prompts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of both ways; `mood` is good or bad where less is better."""

    name: str
    original: str
    replayed: str
    change: str
    mood: str


@dataclass(frozen=True, slots=True)
class ShownPair:
    """Two steps side by side; `changes` are the lines of what differs: (arguments | result, lines)."""

    pair: Pair
    changes: list[tuple[str, list[Line]]]


@dataclass(frozen=True, slots=True)
class ReplayPage:
    replay: Replay
    comparison: Comparison
    measures: list[Measure]
    pairs: list[ShownPair]
    asked: str  # what the customer had written


def choices_of(turn: Turn) -> Choices:
    """Three queries."""
    steps = in_order(Step.objects.filter(turn=turn).defer("input", "output"))
    versions = PromptVersion.objects.defer("text").order_by("name", "-number")
    prompts = [("", "as it spoke then"), ("active", "assistant: what speaks now"), ("file", "assistant: the file")]
    prompts += [(f"{v.name}:{v.number}", _named(v)) for v in sorted(versions, key=lambda v: NAMES.index(v.name))]
    prompts += [(f"{name}:file", f"{name}: the file") for name in NAMES[1:]]
    return Choices(
        steps=[("0", "the start"), *((str(s.index), f"step {s.index}, {_what(s)}") for s in steps if s.index)],
        models=[
            ("", "as planned"),
            *((tier.value, f"{tier.value} ({model})") for tier, model in configured_models().items()),
        ],
        prompts=prompts,
    )


def replays_of(turn_id: UUID) -> Sequence[Replay]:
    """The newest of a turn's replays; one query."""
    return list(_listed().filter(turn=turn_id)[:PAGE])


def replays_page(before: datetime | None = None) -> tuple[list[Replay], bool]:
    """(the newest replays before a moment, whether there are more); one query. Those of a blast radius stand there."""
    found = _listed().filter(radius=None)
    if before is not None:
        found = found.filter(created_at__lt=before)
    rows = list(found[: PAGE + 1])
    return rows[:PAGE], len(rows) > PAGE


def replay_page(replay: Replay) -> ReplayPage:
    """Everything the page shows; three queries besides the replay's own."""
    found = compare(replay)
    asked = Message.objects.filter(turn_id=replay.turn_id, role=Message.Role.CUSTOMER).order_by("seq")
    return ReplayPage(
        replay=replay,
        comparison=found,
        measures=list(_measures(found.original, found.replayed)),
        pairs=[ShownPair(pair, _changes(pair)) for pair in found.pairs],
        asked="\n\n".join(asked.values_list("text", flat=True)),
    )


def _listed() -> QuerySet[Replay]:
    listed = Replay.objects.defer("steps", "sources", "text", "notes")
    return listed.select_related("asked_by", "turn__conversation").defer("turn__checkpoint").order_by("-created_at")


def _measures(original: Side, replayed: Side) -> list[Measure]:
    return [
        _measure("Cost", original.cost_usd, replayed.cost_usd, usd),
        _measure("Tokens", original.tokens, replayed.tokens, count),
        _measure("Time in steps", original.model_ms, replayed.model_ms, span),
        _measure("Steps", original.steps, replayed.steps, count),
        _measure("Tool calls", len(original.tools), len(replayed.tools), count),
        _measure("Words", len(original.text.split()), len(replayed.text.split()), count, less_is_better=False),
    ]


def _measure(name: str, original: float, replayed: float, shown: Any, *, less_is_better: bool = True) -> Measure:
    change = ""
    if original and replayed >= 3 * original:
        change = f"× {replayed / original:.0f}"
    elif original and abs(replayed / original - 1) >= 0.005:
        change = f"{replayed / original - 1:+.0%}".replace("-", "−")
    mood = "" if not change or not less_is_better else "good" if replayed < original else "bad"
    return Measure(name, shown(original), shown(replayed), change, mood)


def _changes(pair: Pair) -> list[tuple[str, list[Line]]]:
    if pair.original is None or pair.replayed is None:
        return []
    keys = {"arguments": "input", "result": "output"}
    return [
        (name, list(compared(pretty(pair.original[key]), pretty(pair.replayed[key]))))
        for name, key in keys.items()
        if name in pair.differs
    ]


def _what(step: Step) -> str:
    return " ".join(filter(None, [step.kind.replace("_", " "), step.tool or step.model]))


def _named(version: PromptVersion) -> str:
    speaks = ", speaks now" if version.is_active else ""
    return f"{version.name}: version {version.number}{speaks}{f' – {version.note[:60]}' if version.note else ''}"
