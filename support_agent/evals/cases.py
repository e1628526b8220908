"""Evaluation cases: readable YAML files, one a theme, checked as they are read.

A case says who writes, what records there are, what is said and clicked, and what must have come of it. Records are
named fixtures (records.py); `other.<record>` belongs to somebody else. `{paid_order}` in a text is that order's number,
`{paid_order.tracking}` or `{customer.email}` one of its values.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from django.conf import settings
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from support_agent.evals.changes import CUSTOMER_CHANGES, ORDER_CHANGES
from support_agent.evals.faults import Fault
from support_agent.evals.personas import Persona
from support_agent.evals.placeholders import unknown
from support_agent.evals.records import RECORDS
from support_agent.evals.steps import Step
from support_agent.evals.strict import Strict
from support_agent.tools.own import builtin
from tickets.languages import ENGLISH
from tickets.models import EscalationReason

FOLDER = Path(__file__).parent / "cases"
Role = Literal["owner", "plus", "business", "stranger"]
Outcome = Literal["resolved", "clarified", "refused", "escalated", "rejected"]
Adversarial = Literal[
    "",
    "contradictory",
    "data leak",
    "emotional",
    "empty",
    "gibberish",
    "huge",
    "images",
    "injection",
    "injection by article",
    "injection by record",
    "injection by tool result",
    "markup",
    "mixed scripts",
    "other people's accounts",
    "other people's orders",
    "out of scope",
    "policy bending",
    "prompt leak",
    "social engineering",
    "stale data",
    "tool failures",
    "wrong language",
]


class Shelf(Strict):
    """An article that is in the help centre only while its case runs."""

    title: str
    body: str
    category: Literal["billing", "technical", "account", "product"] = "product"


class Expectation(Strict):
    """What must have come of it.

    `outcome`: resolved (answered without a person, and the end state as expected), clarified (it asks back), refused
    (out of scope), escalated (handed over), rejected (the desk took no message). `says` and `says_not` are about all
    answers together, `last_…` about the newest, letter case ignored; `a | b` is satisfied by either. `end` maps a
    record's field, or what was made (tickets, refunds, returns, problems, codes: how many; actions: `tool state`), to
    its value. What `end` does not name must not have changed and must not have been made.
    """

    outcome: Outcome
    reason: str = ""  # of an escalation or a rejection
    tools: tuple[str, ...] = ()
    not_tools: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    says_not: tuple[str, ...] = ()
    last_says: tuple[str, ...] = ()
    last_says_not: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()  # slugs
    end: dict[str, str | int | bool | tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _has_a_known_reason(self) -> Expectation:
        if self.outcome == "escalated" and self.reason not in EscalationReason.values:
            raise ValueError(f"an escalation needs a reason: {', '.join(EscalationReason.values)}")
        return self


def _step(written: Any) -> Any:
    return {"say": written} if isinstance(written, str) else written


class Case(Strict):
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    suite: str  # the theme: its file's name
    about: str = ""
    adversarial: Adversarial = ""  # the kind of attack or trap, for the adversarial ones
    needs: Literal["", "claude"] = ""  # what the demo model cannot do
    why: str = ""
    customer: Role
    language: str = ENGLISH  # the conversation's, as the page was opened in
    records: tuple[str, ...] = ()
    articles: tuple[Shelf, ...] = ()
    faults: dict[str, Fault] = {}  # a tool's name to what goes wrong with it
    steps: tuple[Annotated[Step, BeforeValidator(_step)], ...] = ()
    persona: Persona | None = None  # plays instead of the steps
    expect: Expectation
    max_cost_usd: float = 0.10
    max_steps: int = 16

    @model_validator(mode="after")
    def _is_runnable(self) -> Case:
        if missing := [name for name in self.records if name.removeprefix("other.") not in RECORDS]:
            raise ValueError(f"unknown records: {', '.join(missing)}")
        if self.needs and not self.why:
            raise ValueError("a case that needs more than the demo model says why")
        if bool(self.steps) == (self.persona is not None):
            raise ValueError("a case has either steps or a persona")
        if self.persona is not None:
            self.persona.check_names(("customer", "other", *self.records))
        if problem := next(self._problems(), ""):
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        """What names something that is not there."""
        for tool in [
            *self.faults,
            *self.expect.tools,
            *self.expect.not_tools,
            *filter(None, (s.of for s in self.steps)),
        ]:
            if tool not in builtin():
                yield f"unknown tool: {tool}; there are {', '.join(builtin())}"
        if self.language not in dict(settings.LANGUAGES):
            yield f"unknown language: {self.language}; there are {', '.join(dict(settings.LANGUAGES))}"
        shipped = [
            name for step in self.steps for name, what in step.change.items() if what in ("shipped", "delivered")
        ]
        texts = [[step.model_dump() for step in self.steps], self.expect.model_dump()]
        if nothing := unknown(texts, self.records, shipped):
            yield f"{', '.join(nothing)} is nothing here: a record must be among `records`, and have that value"
        titles = [shelf.title for shelf in self.articles]
        for name, what in ((name, what) for step in self.steps for name, what in step.change.items()):
            if name in titles:
                continue
            known = ORDER_CHANGES if name in self.records else CUSTOMER_CHANGES if name == "customer" else None
            if known is None:
                yield f"`change` names “{name}”: it takes a record of the case, customer, or an article's title"
            elif what not in known:
                yield f"`change` cannot make {name} “{what}”, only {', '.join(known)}"


@cache
def load_cases(folder: Path = FOLDER) -> tuple[Case, ...]:
    """Every case, by file and as written there. Raises ValueError for a wrong one and for an id used twice."""
    cases = [case for path in sorted(folder.glob("*.yaml")) for case in _read(path)]
    ids = [case.id for case in cases]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"cases with the same id: {', '.join(twice)}")
    return tuple(cases)


def _read(path: Path) -> Iterator[Case]:
    """The cases of a file. Raises ValueError, which names the file, the case and what is wrong with it."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as problem:
        raise ValueError(f"{path.name}: this is no YAML: {where(problem)}") from None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ValueError(f"{path.name}: it must be a list of cases, each beginning with “- id: …”")
    for entry in found:
        try:
            yield Case.model_validate({**entry, "suite": path.stem})
        except ValidationError as problem:
            raise ValueError(f"{path.name}, {entry.get('id', 'a case without id')}: {said(problem)}") from None


def where(problem: yaml.YAMLError) -> str:
    """The line and what is wrong with it."""
    mark = getattr(problem, "problem_mark", None)
    said = str(getattr(problem, "problem", "") or problem).splitlines()[0]
    return f"line {mark.line + 1}, {said}" if mark else said


def said(problem: ValidationError) -> str:
    """The first three problems, each with its place."""
    found = [
        f"{'.'.join(str(part) for part in error['loc']) or 'the case'}: {error['msg'].removeprefix('Value error, ')}"
        for error in problem.errors()
    ]
    more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more


def suite(name: str) -> list[Case]:
    """The cases of a theme, or the one of this id; all for ''. Raises ValueError for an unknown name."""
    cases = [case for case in load_cases() if name in ("", case.suite, case.id)]
    if not cases:
        themes = ", ".join(sorted({case.suite for case in load_cases()}))
        raise ValueError(f"there is no suite or case “{name}”; the suites are {themes}")
    return cases
