"""A replay beside its original: steps aligned by what they did, what differs in each, words of the answers compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from support_agent.agent.types import StepKind
from support_agent.models import Replay, Step
from support_agent.runtime.replay_tools import TAKEN
from support_agent.runtime.step_json import in_order, of_row
from tickets.models import Message

Json = dict[str, Any]
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True, slots=True)
class Pair:
    """A step of the original beside that of the replay that did the same; one of them may be missing.

    `differs` names what is not the same: model, arguments, result, status; nothing for a step that was taken over.
    """

    original: Json | None
    replayed: Json | None
    differs: tuple[str, ...]

    @property
    def is_different(self) -> bool:
        return bool(self.differs) or self.original is None or self.replayed is None


@dataclass(frozen=True, slots=True)
class Side:
    """One way the turn went, in figures; cost in USD."""

    outcome: str
    reason: str  # of a hand-over
    text: str
    steps: int
    tools: tuple[str, ...]
    tokens: int
    cost_usd: float
    model_ms: int  # spent in model calls and tools; waiting in a queue is not the replay's matter
    models: tuple[str, ...]
    prompt: str


@dataclass(frozen=True, slots=True)
class Comparison:
    original: Side
    replayed: Side
    pairs: list[Pair]
    words: list[tuple[str, str]]  # (same | added | removed, text)

    @property
    def is_same_text(self) -> bool:
        return all(kind == "same" for kind, _ in self.words)


def compare(replay: Replay) -> Comparison:
    """The replay, as far as it has come, beside its turn; two queries."""
    turn = replay.turn
    steps = [of_row(step) for step in in_order(Step.objects.filter(turn=turn))]
    answer = Message.objects.filter(turn_id=turn.pk, role=Message.Role.ASSISTANT).values_list("text", flat=True).first()
    original = _side(steps, turn.state, answer or "", turn.prompt_version)
    replayed = _side(replay.steps, replay.outcome, replay.text, replay.prompt_version or turn.prompt_version)
    return Comparison(original, replayed, aligned(steps, replay.steps), list(words(original.text, replayed.text)))


def aligned(original: Sequence[Json], replayed: Sequence[Json]) -> list[Pair]:
    """Steps that did the same kind of thing stand side by side, in order; the others stand alone."""
    found: list[Pair] = []
    matcher = SequenceMatcher(a=[_did(s) for s in original], b=[_did(s) for s in replayed], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found += [_pair(one, other) for one, other in zip(original[i1:i2], replayed[j1:j2], strict=True)]
        else:
            found += [Pair(one, None, ()) for one in original[i1:i2]]
            found += [Pair(None, other, ()) for other in replayed[j1:j2]]
    return found


def words(before: str, after: str) -> Iterator[tuple[str, str]]:
    """The two texts as one, word by word: (same | added | removed, text)."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    for tag, i1, i2, j1, j2 in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", "".join(old[i1:i2])
            continue
        if i2 > i1:
            yield "removed", "".join(old[i1:i2])
        if j2 > j1:
            yield "added", "".join(new[j1:j2])


def as_json(replay: Replay) -> Json:
    """What the command prints."""
    found = compare(replay)
    return {
        "id": str(replay.pk),
        "turn_id": str(replay.turn_id),
        "from_step": replay.from_step,
        "model": replay.model,
        "prompt": replay.prompt_version,
        "state": replay.state,
        "error": replay.error or None,
        "notes": replay.notes,
        "outcome": replay.outcome,
        "text": replay.text,
        "sources": replay.sources,
        "input_tokens": replay.input_tokens,
        "output_tokens": replay.output_tokens,
        "cost_usd": float(replay.cost_usd),
        "duration_ms": replay.duration_ms,
        "steps": replay.steps,
        "original": {
            "outcome": found.original.outcome,
            "text": found.original.text,
            "prompt_version": found.original.prompt,
            "steps": [pair.original for pair in found.pairs if pair.original],
            "cost_usd": found.original.cost_usd,
        },
        "differences": {
            "outcome": found.original.outcome != found.replayed.outcome,
            "text": not found.is_same_text,
            "tools": list(found.original.tools) != list(found.replayed.tools),
            "steps": [
                _difference(pair) for pair in found.pairs if not (pair.original and pair.replayed) or pair.differs
            ],
        },
    }


def _difference(pair: Pair) -> Json:
    step = pair.original or pair.replayed or {}
    return {
        "original": pair.original["index"] if pair.original else None,
        "replayed": pair.replayed["index"] if pair.replayed else None,
        "kind": step["kind"],
        "tool": step.get("tool"),
        "differs": list(pair.differs) or ["missing" if pair.replayed is None else "new"],
    }


def _did(step: Json) -> tuple[str, str]:
    return step["kind"], step.get("tool", "")


def _pair(original: Json, replayed: Json) -> Pair:
    if replayed.get("how") == TAKEN:
        return Pair(original, replayed, ())
    is_tool = original["kind"] == StepKind.TOOL_CALL
    checked = {"status": ("status",), "model": ("model",), "result": ("output",)}
    if is_tool:  # what a model is sent differs in ids alone, so often that it says nothing
        checked["arguments"] = ("input",)
    found = [name for name, (key,) in checked.items() if _plain(original.get(key)) != _plain(replayed.get(key))]
    return Pair(original, replayed, tuple(found))


def _plain(value: Any) -> str:
    """For comparison: without ids, which are new each time."""
    return json.dumps(_without_ids(value), sort_keys=True, default=str)


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in ("id", "action_id", "expires_in_minutes", "signature")}
        return {name: _without_ids(inner) for name, inner in kept.items()}
    return [_without_ids(inner) for inner in value] if isinstance(value, list) else value


def _side(steps: Sequence[Json], outcome: str, text: str, prompt: str) -> Side:
    calls = [step for step in steps if step.get("model")]
    return Side(
        outcome=outcome,
        reason=reason_of(steps),
        text=text,
        steps=len(steps),
        tools=tuple(step["tool"] for step in steps if step["kind"] == StepKind.TOOL_CALL),
        tokens=sum(
            s["input_tokens"] + s["output_tokens"] + s["cache_read_tokens"] + s["cache_write_tokens"] for s in calls
        ),
        cost_usd=sum(step["cost_usd"] for step in steps),
        model_ms=sum(step["duration_ms"] for step in steps),
        models=tuple(dict.fromkeys(step["model"] for step in calls)),
        prompt=prompt,
    )


def reason_of(steps: Sequence[Json]) -> str:
    """Why it went to a person, if it did."""
    for step in steps:
        if step["kind"] == StepKind.ESCALATE:
            return str(step["output"].get("reason", ""))
        if step.get("tool") == "escalate_to_human" and step["status"] == "success":
            return str(step["input"].get("reason", ""))
    return ""
