"""Whether two ways of one turn come to the same for the customer, and if not, why: by code, without a judge.

`same`: nothing differs but little words and spelling. `worded`: other words or look-ups, the same outcome and the same
facts. `otherwise`: another outcome, another fact, source, offer or deed, or the opposite of what was said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from rapidfuzz.distance import OSA

from support_agent.agent.claims import DATE, PERIOD, Claim, claims, figures
from support_agent.agent.evidence import evidence_of
from support_agent.agent.toolkit import Status
from support_agent.agent.types import StepKind
from support_agent.runtime.catalogue import catalogue
from support_agent.runtime.replay_compare import reason_of
from support_agent.runtime.replay_tools import ACTING, SENDS, call_identity

Json = dict[str, Any]
SAME, WORDED, OTHERWISE, DRIFT = "same", "worded", "otherwise", "drift"
NUMBER = "number"
WORKED = {Status.SUCCESS.value, Status.PENDING_CONFIRMATION.value, Status.AWAITING_STAFF.value}
MOST_NAMED = 4
_CITED = re.compile(r"\s?\[\d+\]")
_LISTED = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_OWN_NUMBER = re.compile(r"\b[TR]-\d+\b")  # drawn anew each time; a rehearsal has T-00000
_ONE = re.compile(r"\ban? (?=(?:minute|hour|day|week|month|year)\b)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[%€$£]")
_SENTENCE = re.compile(
    r"(?<=[.!?])\s+(?!\[\d)|(?<=\d\])\s+(?=[^\W\d_a-z])|\n+"
)  # a citation belongs to what is before it
_TURNS_ROUND = frozenset(
    "not no never none without cannot can cant can't don't doesn't isn't aren't won't wouldn't couldn't unable able"  # noqa: SIM905
    " yes only before after nicht kein keine keinen nie ohne nur ne pas jamais sans sin nunca solo sólo".split()
)
_LITTLE = frozenset(
    "a an the and of to in on at for is are was were be it its this that these those you your we our us i me my please"  # noqa: SIM905
    " just also so then here there with as will would by from do does have has".split()
)
_OPPOSITE = ("un", "im", "in", "non", "dis", "ir", "mis", "il")


@dataclass(frozen=True, slots=True)
class Went:
    """One way a turn went, as far as the customer is concerned. `deeds` are offers, tickets, codes and hand-overs,
    as tool and identity of the call; `cited` the addresses of the sources."""

    outcome: str
    reason: str
    text: str
    cited: frozenset[str]
    deeds: frozenset[tuple[str, str]]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """`reasons` are sentences without an end, the weightiest first."""

    verdict: str
    reasons: tuple[str, ...] = ()


def went(outcome: str, text: str, sources: Iterable[Json], steps: Sequence[Json]) -> Went:
    """From an answer, its sources and the steps in the export's shape."""
    calls = [step for step in steps if step["kind"] == StepKind.TOOL_CALL]
    return Went(
        outcome=outcome,
        reason=reason_of(steps) if outcome == "escalated" else "",
        text=text,
        cited=frozenset(str(source.get("url", "")) for source in sources),
        deeds=frozenset(
            (step["tool"], call_identity(step["tool"], step["input"], catalogue()))
            for step in calls
            if _acts(step["tool"]) and step["status"] in WORKED
        ),
        tools=tuple(step["tool"] for step in calls),
    )


def judged(before: Went, after: Went) -> Judged:
    """What the second way is, seen from the first."""
    if reasons := tuple(_reasons(before, after)):
        return Judged(OTHERWISE, reasons)
    if sorted(before.tools) != sorted(after.tools):
        return Judged(WORDED, ("looked up in another way",))
    return Judged(SAME if _nearly_same(before.text, after.text) else WORDED)


def facts(text: str) -> list[Claim]:
    """What can be checked in a text, bare numbers too."""
    rest = text = _ONE.sub("1 ", _bare(text))
    found = claims(text)
    for claim in found:
        rest = rest.replace(claim.text, " ")
    return [*found, *(Claim(NUMBER, figure, (figure,)) for figure in figures(rest))]


def missing(told: Iterable[Claim], there: Sequence[Claim]) -> list[Claim]:
    """The facts of the first that the second does not have. A date with its year tells the day and the month, too."""
    written = evidence_of([claim.text for claim in there if claim.kind in (DATE, PERIOD)], [])
    return [
        fact
        for fact in told
        if not any(_means_the_same(fact, other) for other in there)
        and not (fact.kind in (DATE, PERIOD) and written.backs(fact))
    ]


def sentences(text: str) -> list[str]:
    return [part for part in _SENTENCE.split(text.strip()) if part.strip()]


def _means_the_same(one: Claim, other: Claim) -> bool:
    return one.kind == other.kind and (one.values == other.values or bool(set(one.values) & set(other.values)))


def _reasons(before: Went, after: Went) -> Iterator[str]:
    if before.outcome != after.outcome:
        yield f"another outcome: {before.outcome or 'none'}, then {after.outcome or 'none'}"
    elif before.reason != after.reason:
        yield f"handed over for another reason: {_plain(before.reason)}, then {_plain(after.reason)}"
    yield from _named("no longer does", before.deeds - after.deeds)
    yield from _named("now does", after.deeds - before.deeds)
    old, new = facts(before.text), facts(after.text)
    yield from _listed("no longer says", (fact.text for fact in missing(old, new)))
    yield from _listed("now says", (fact.text for fact in missing(new, old)))
    yield from _listed("no longer cites", before.cited - after.cited)
    yield from _listed("now cites", after.cited - before.cited)
    for one, other in _changed_sentences(before.text, after.text):
        if _is_turned_round(one, other):
            yield f"says the opposite: “{other[:120]}”"


def _named(what: str, deeds: Iterable[tuple[str, str]]) -> Iterator[str]:
    return _listed(what, sorted({tool for tool, _ in deeds}))


def _listed(what: str, things: Iterable[str]) -> Iterator[str]:
    """Nothing, or one sentence."""
    named = list(dict.fromkeys(filter(None, things)))
    if named:
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        yield f"{what} {', '.join(named[:MOST_NAMED])}{more}"


def _plain(reason: str) -> str:
    return reason.replace("_", " ") or "none"


def _acts(tool: str) -> bool:
    known = catalogue().get(tool)
    return tool in SENDS or (known is not None and known.category in ACTING)


def _bare(text: str) -> str:
    """Without what is numbered anew each time: citations, lists, tickets."""
    return _OWN_NUMBER.sub("", _LISTED.sub("", _CITED.sub("", text)))


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in _WORD.findall(_bare(text))]


def _changed_sentences(before: str, after: str) -> Iterator[tuple[str, str]]:
    old, new = sentences(before), sentences(after)
    for tag, i1, i2, j1, j2 in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "replace":
            yield from zip(old[i1:i2], new[j1:j2], strict=False)


def _is_turned_round(one: str, other: str) -> bool:
    """Two sentences of which nothing differs but the words that make a yes a no."""
    differing = [word for pair in _differing(_words(one), _words(other)) for word in (*pair[0], *pair[1])]
    weighty = [word for word in differing if word not in _LITTLE]
    return bool(weighty) and all(word in _TURNS_ROUND for word in weighty)


def _nearly_same(before: str, after: str) -> bool:
    return all(_is_little(old, new) for old, new in _differing(_words(before), _words(after)))


def _differing(old: list[str], new: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    for tag, i1, i2, j1, j2 in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield old[i1:i2], new[j1:j2]


def _is_little(old: list[str], new: list[str]) -> bool:
    """Little words that come or go, and words that are spelled a little otherwise."""
    kept_old, kept_new = ([word for word in side if word not in _LITTLE] for side in (old, new))
    if len(kept_old) != len(kept_new):
        return False
    return all(_is_spelling(one, other) for one, other in zip(kept_old, kept_new, strict=True))


def _is_spelling(one: str, other: str) -> bool:
    if one == other:
        return True
    if min(len(one), len(other)) < 4 or {one, other} & _TURNS_ROUND or not (one + other).isalpha():
        return False
    if any(one == prefix + other or other == prefix + one for prefix in _OPPOSITE):
        return False
    return OSA.distance(one, other) <= (1 if len(one) < 7 else 2)
