"""What an answer may not say, decided by code. Each rule yields an issue that the model is told and the trace keeps."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from support_agent.agent.evidence import Evidence, unbacked
from support_agent.agent.secrecy import leaks
from support_agent.agent.types import Json

_CITATION = re.compile(r"\[(\d{1,2})\]")
_BANNED = (
    (re.compile(r"\bas an ai (language )?model\b", re.I), "talks about being a language model"),
    (
        re.compile(r"\b(system prompt|tool_use|tool call|my (instructions|prompt))\b", re.I),
        "talks about its own workings",
    ),
    (re.compile(r"\bI guarantee\b|\b100 ?% (sure|certain|guaranteed)\b", re.I), "guarantees"),
    (re.compile(r"\b(sk-[a-z0-9-]{16,}|AKIA[0-9A-Z]{16}|-----BEGIN)", re.I), "contains a secret"),
    (re.compile(r"!\[[^\]]*\][(\[]"), "contains an image"),
    (re.compile(r"</?[a-z!][^>]*>", re.I), "contains HTML"),
)

# What an answer must not leave out after a tool said this: in any language of ours, by its stem.
_MENTIONS = (
    (
        "pending_confirmation",
        re.compile(r"confirm|bestätig|press|card|click|karte|carte|tarjeta|بطاقة|البطاقة|تأكيد|تؤكد|اضغط", re.I),
        "nothing happens before the customer presses Confirm on the card",
    ),
    (
        "degraded",
        re.compile(
            r"could ?n[o']t|can ?not|can[’']t|couldn[’']t|unable|not able|at the moment|right now|incomplete"
            r"|konnten? .*nicht|nicht möglich|derzeit|momentan|im Moment|gerade nicht|unvollständig"
            r"|n['’](?:a|ai|ont|avons) pas pu|pour l['’]instant|actuellement|en ce moment|incompl[eè]t"
            r"|no (?:se )?(?:pudo|puede|he podido|hemos podido|fue posible)|en este momento|por ahora"
            r"|تعذر|تعذّر|لم (?:أ|ن)تمكن|حالي[ًا]|غير مكتمل",
            re.I,
        ),
        "something could not be checked just now",
    ),
)


@dataclass(frozen=True, slots=True)
class Issue:
    """`rule` for counting, `detail` for the model and the trace."""

    rule: str
    detail: str

    def as_json(self) -> Json:
        return {"rule": self.rule, "detail": self.detail}


def check_sentence(
    sentence: str, evidence: Evidence, *, before: str = "", inside: frozenset[str] = frozenset()
) -> list[Issue]:
    """The rules a single sentence can break, before it is shown.

    `before` are the words that stand before it, and `inside` what must not be quoted (secrecy.inside_of).
    """
    issues = [
        Issue("unbacked_" + claim.kind, f"“{claim.text}” is in no tool result or article of this conversation")
        for claim in unbacked(sentence, evidence)
    ]
    issues += [Issue("banned", f"it {what}") for pattern, what in _BANNED if pattern.search(sentence)]
    return issues + [Issue("banned", f"it {what}") for what in leaks(before + sentence, inside)]


def check_answer(text: str, sources: Sequence[Json], max_chars: int, statuses: Collection[str] = ()) -> list[Issue]:
    """The rules only the whole answer can break; `statuses` are those of the turn's tool results."""
    issues = [Issue("mention", f"it must say that {what}") for what in _unmentioned(text, statuses)]
    if len(text) > max_chars:
        issues.append(Issue("length", f"it is longer than {max_chars} characters"))
    known = {int(source["n"]) for source in sources}
    unknown = sorted({int(match) for match in _CITATION.findall(text)} - known)
    return issues + [Issue("citation", f"[{number}] is not a source of this turn") for number in unknown]


def _unmentioned(text: str, statuses: Collection[str]) -> list[str]:
    return [what for status, pattern, what in _MENTIONS if status in statuses and not pattern.search(text)]


def cited(text: str, sources: Sequence[Json]) -> list[Json]:
    """The sources an answer really cites, in their order, as {"n", "title", "url"}."""
    numbers = {int(match) for match in _CITATION.findall(text)}
    return [source for source in sources if int(source["n"]) in numbers]


def revision_notice(issues: Sequence[Issue]) -> str:
    """What the model is told when its answer was dropped."""
    listed = "\n".join(f"- {issue.detail}" for issue in issues[:8])
    return (
        "Your last answer was not sent to the customer, because:\n"
        f"{listed}\n"
        "Answer again, using only what tool results and articles of this conversation state. "
        "Leave out what they do not state, or say that you could not check it."
    )
