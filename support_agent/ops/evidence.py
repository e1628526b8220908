"""What backs each claim of an answer: the tool call and the field of its result, an article, or somebody's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from support_agent.agent.claims import Claim, claims
from support_agent.agent.evidence import Evidence, evidence_of
from support_agent.agent.types import StepKind
from support_agent.models import Step
from tickets.models import Message

Json = dict[str, Any]
_TOKEN = re.compile(r"\d+|[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a claim comes from: `href` leads to it on the page or in the help centre, `detail` is the field."""

    label: str
    href: str
    detail: str = ""
    article: str = ""
    article_url: str = ""


@dataclass(frozen=True, slots=True)
class Backed:
    claim: str
    kind: str
    source: Source | None


@dataclass
class Call:
    """A tool call's result as evidence, read once and only when asked."""

    step: Step
    earlier: bool = False

    @cached_property
    def evidence(self) -> Evidence:
        return evidence_of([json.dumps(self.step.output)], [])

    def source(self, claim: Claim | None) -> Source:
        path, value = next(self._where(claim), ("", None)) if claim is not None else ("", None)
        label = f"{self.step.tool}, an earlier turn" if self.earlier else f"{self.step.tool}, step {self.step.index}"
        hit = _hit(self.step.output, path)
        return Source(
            label, f"#step-{self.step.pk}", f"{path}: {_short(value)}" if path else "",
            str(hit.get("title", "")), str(hit.get("url", "")),
        )  # fmt: skip

    def _where(self, claim: Claim) -> Iterator[tuple[str, Any]]:
        """The fields of the result that back a claim; only those that share a word or figure with it are looked at."""
        tokens = {token.lower().lstrip("0") for token in _TOKEN.findall(" ".join((claim.text, *claim.values)))}
        for path, key, value, currency in _leaves(self.step.output):
            found = {token.lower().lstrip("0") for token in _TOKEN.findall(str(value))}
            if tokens & found:
                alone = {key: value} | ({"currency": currency} if currency else {})
                if evidence_of([json.dumps(alone)], []).backs(claim):
                    yield path, value


@dataclass
class Known:
    """What the conversation had seen before an answer, in its order."""

    calls: list[Call] = field(default_factory=list)
    customer: list[Message] = field(default_factory=list)
    staff: list[Message] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def source_of(self, claim: Claim) -> Source | None:
        for call in reversed(self.calls):
            if call.evidence.backs(claim):
                return call.source(claim)
        for message in reversed(self.staff):
            if evidence_of([message.text], []).backs(claim):
                return Source(f"{message.author or 'Staff'} wrote it", f"#event-{message.seq}")
        if evidence_of(self.notices, []).backs(claim):
            return Source("what the server told the assistant", "")
        for message in reversed(self.customer):
            if evidence_of([], [message.text]).backs(claim):
                return Source("the customer wrote it", f"#event-{message.seq}")
        return None


def backed_claims(critic: Step, steps: Sequence[Step], known: Known) -> list[Backed]:
    """The claims an accepted answer made, each with what backs it; `known` is what was seen before this turn."""
    mine = [Call(step) for step in called(steps)]
    kept = {claim.text: claim for claim in claims(" \n".join(str(one.get("claim", "")) for one in _listed(critic)))}
    found = []
    for one in {(str(one.get("claim")), str(one.get("kind"))): one for one in _listed(critic)}.values():
        text, number = str(one.get("claim", "")), one.get("call")
        claim = kept.get(text) or next(iter(claims(text)), None)
        if isinstance(number, int) and 0 <= number < len(mine):
            source: Source | None = mine[number].source(claim)
        else:
            source = known.source_of(claim) if claim is not None else None
        found.append(Backed(text, str(one.get("kind", "")), source))
    return found


def called(steps: Iterable[Step]) -> list[Step]:
    """A turn's tool calls as its state counts them: by index, of several attempts the last."""
    last: dict[int, Step] = {}
    for step in steps:
        if step.kind == StepKind.TOOL_CALL and (step.index not in last or last[step.index].attempt <= step.attempt):
            last[step.index] = step
    return [last[index] for index in sorted(last)]


def notices_of(steps: Iterable[Step]) -> list[str]:
    """What the server told the model in system messages of this turn."""
    found: list[str] = []
    for step in steps:
        newest = step.input.get("newest") if isinstance(step.input, dict) else None
        messages = [one for one in newest if isinstance(one, dict)] if isinstance(newest, list) else []
        found += [str(one.get("content", "")) for one in messages if one.get("role") == "system"]
    return found


def _listed(critic: Step) -> list[Json]:
    listed = critic.output.get("claims") if isinstance(critic.output, dict) else None
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _leaves(value: Any, path: str = "", key: str = "", currency: str = "") -> Iterator[tuple[str, str, Any, str]]:
    if isinstance(value, dict):
        own = value.get("currency")
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name), str(name),
                               own if isinstance(own, str) else currency)  # fmt: skip
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{n}]", key, currency)
    elif value is not None and not isinstance(value, bool):
        yield path, key, value, currency


def _hit(output: Any, path: str) -> Json:
    """The search result that a path leads into, if its result lists articles."""
    number = re.match(r"results\[(\d+)\]", path)
    results = output.get("results") if isinstance(output, dict) else None
    if number is None or not isinstance(results, list) or int(number[1]) >= len(results):
        return {}
    hit = results[int(number[1])]
    return hit if isinstance(hit, dict) and hit.get("url") else {}


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 120 else text[:119] + "…"
