"""The seeded load: what customers write, drawn from evaluation cases and the demo's questions, 1 to 10 turns each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from random import Random
from typing import Any

from support_agent.demo.questions import FOLLOW_UPS, QUESTIONS
from support_agent.evals.cases import Case, load_cases
from support_agent.evals.steps import Step
from tickets.languages import ENGLISH

SEED = 20261122
# Turns of the conversations of one round: most are short, a few are long; 78 turns in 24 conversations.
LENGTHS = (1, 2, 1, 3, 5, 1, 2, 10, 1, 3, 2, 1, 4, 6, 1, 2, 3, 8, 1, 2, 3, 7, 4, 5)
OWNER = "owner"
ROLES = (OWNER, OWNER, "plus", OWNER, "stranger", "business")
UNRESOLVED_EVERY = 8  # conversations; such a one, an owner's, ends with what only a person can do
EVERYDAY = ("orders", "help", "changes", "people")
# Look-ups and policies: nothing to change, so that one toolset serves all ten turns.
TEN_TURNS = (
    "How long do I have to return an item?",
    "And what does the label cost?",
    "What is in {delivered_order}?",
    "When was it delivered?",
    "Do you ship to Canada and what does it cost?",
    "Where is {shipped_order}?",
    "Is a gift card returnable?",
    "Which orders do I have?",
    "What does the Plus plan cost per year?",
    "My Trailmate watch does not sync with the app any more",
)
RECORDS = ("delivered_order", "shipped_order")


def seeded_load(rounds: int = 1, lengths: tuple[int, ...] = LENGTHS) -> list[Case]:
    """The same conversations every time; each round has others."""
    dice = Random(SEED)
    roles = cycle(ROLES)
    cases = []
    for number, turns in enumerate(lengths * rounds, start=1):
        role, is_left_open = next(roles), number % UNRESOLVED_EVERY == 0
        cases.append(_conversation(number, turns, OWNER if is_left_open else role, dice, is_left_open=is_left_open))
    return cases


def ten_turns() -> Case:
    return _case("ten-turns", OWNER, RECORDS, [Step(say=text) for text in TEN_TURNS])


def long_talk(turns: int) -> Case:
    """The same ten again and again, as somebody who keeps a thread for everything."""
    said = cycle(TEN_TURNS)
    return _case("long-talk", OWNER, RECORDS, [Step(say=next(said)) for _ in range(turns)])


def turns_of(case: Case) -> int:
    return sum(step.say is not None for step in case.steps)


def _conversation(number: int, turns: int, role: str, dice: Random, *, is_left_open: bool) -> Case:
    """Parts one after another until there are so many turns; no two are about the same record."""
    records: list[str] = []
    steps: list[Step] = []
    last = _drawn(dice, role, "escalated", turns, records) if is_left_open else None
    room = turns - (turns_of(last) if last else 0)
    if last:
        records += last.records
    while room:
        part = _drawn(dice, role, "resolved", room, records) if dice.random() < 0.6 else None
        said = list(part.steps) if part else [Step(say=text) for text in _asked(dice, room)]
        records += part.records if part else ()
        steps += said
        room -= sum(step.say is not None for step in said)
    return _case(f"load-{number}", role, records, [*steps, *(last.steps if last else ())])


def _drawn(dice: Random, role: str, outcome: str, room: int, taken: list[str]) -> Case | None:
    """An evaluation case that this customer can add; None when there is none."""
    found = [case for case in _pool() if case.customer == role and case.expect.outcome == outcome]
    fitting = [case for case in found if 0 < turns_of(case) <= room and not {*case.records} & {*taken}]
    return dice.choice(fitting) if fitting else None


def _pool() -> Iterator[Case]:
    """Cases of everyday life that need nothing but words and clicks."""
    for case in load_cases():
        plain = all(step.say or step.click for step in case.steps) and not any(step.refused for step in case.steps)
        special = case.persona or case.needs or case.faults or case.articles or case.adversarial
        if case.suite in EVERYDAY and plain and not special and case.language == ENGLISH:
            yield case


def _asked(dice: Random, room: int) -> list[str]:
    """A question for the help centre, with what is asked next where there is room for it."""
    article, _, _, phrasings = dice.choice(QUESTIONS)
    asked = [dice.choice(phrasings)]
    if room > 1 and article in FOLLOW_UPS:
        asked.append(FOLLOW_UPS[article][0])
    return asked


def _case(name: str, role: str, records: Any, steps: list[Step]) -> Case:
    fields = {"records": tuple(records), "steps": tuple(steps), "expect": {"outcome": "resolved"}}
    return Case.model_validate({"id": name, "suite": "load", "customer": role, **fields})
