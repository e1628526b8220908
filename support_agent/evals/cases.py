"""Evaluation cases: readable YAML files, one a theme, checked as they are read.

A case says who writes, what records there are, what is said and clicked, and what must have come of it. Records are
named fixtures (records.py); `other.<record>` belongs to somebody else. `{paid_order}` in a text is that order's number,
`{paid_order.tracking}` or `{customer.email}` one of its values.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, model_validator

from support_agent.evals.personas import Persona
from support_agent.evals.records import RECORDS
from support_agent.evals.strict import Strict
from tickets.models import EscalationReason

FOLDER = Path(__file__).parent / "cases"
SAVED = "saved"  # the suite of cases in the database
Role = Literal["owner", "plus", "business", "stranger"]
Outcome = Literal["answered", "clarified", "refused", "escalated", "rejected"]


class Step(Strict):
    """One thing the customer does: a message (`times` over), a click on the newest offer, proving who they are, or the
    button for a person."""

    say: str | None = None
    times: int = 1
    click: Literal["confirm", "decline", "undo"] | None = None
    sign_in: bool = False
    human: bool = False  # presses “Talk to a person”

    @model_validator(mode="after")
    def _is_one_thing(self) -> Step:
        if (self.say is not None) + (self.click is not None) + self.sign_in + self.human != 1:
            raise ValueError("a step is one of say, click, sign_in, human")
        return self


class Shelf(Strict):
    """An article that is in the help centre only while its case runs."""

    title: str
    body: str
    category: Literal["billing", "technical", "account", "product"] = "product"


class Expectation(Strict):
    """What must have come of it.

    `says` and `says_not` are about all answers together, letter case ignored; `a | b` is satisfied by either. `end`
    maps a record's field, or what was made (tickets, refunds, returns, problems: how many; actions: `tool state`), to
    its value. What `end` does not name must not have changed and must not have been made.
    """

    outcome: Outcome
    reason: str = ""  # of an escalation or a rejection
    tools: tuple[str, ...] = ()
    not_tools: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    says_not: tuple[str, ...] = ()
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
    adversarial: str = ""  # the kind of attack or trap, for the adversarial ones
    needs: Literal["", "claude"] = ""  # what the demo model cannot do
    why: str = ""
    customer: Role
    records: tuple[str, ...] = ()
    articles: tuple[Shelf, ...] = ()
    steps: tuple[Annotated[Step, BeforeValidator(_step)], ...] = ()
    persona: Persona | None = None  # plays instead of the steps
    expect: Expectation
    max_cost_usd: float = 0.10
    max_steps: int = 16

    @model_validator(mode="after")
    def _is_runnable(self) -> Case:
        unknown = [name for name in self.records if name.removeprefix("other.") not in RECORDS]
        if unknown:
            raise ValueError(f"unknown records: {', '.join(unknown)}")
        if self.needs and not self.why:
            raise ValueError("a case that needs more than the demo model says why")
        if bool(self.steps) == (self.persona is not None):
            raise ValueError("a case has either steps or a persona")
        if self.persona is not None:
            self.persona.check_names(("customer", "other", *self.records))
        return self


@cache
def load_cases(folder: Path = FOLDER) -> tuple[Case, ...]:
    """Every case, by file and as written there. Raises ValueError for a wrong one and for an id used twice."""
    cases = [
        Case.model_validate({**written, "suite": path.stem})
        for path in sorted(folder.glob("*.yaml"))
        for written in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    ids = [case.id for case in cases]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"cases with the same id: {', '.join(twice)}")
    return tuple(cases)


def suite(name: str) -> list[Case]:
    """The cases of a theme, or the one of this id; all for ''. Raises ValueError for an unknown name."""
    cases = [case for case in load_cases() if name in ("", case.suite, case.id)]
    if not cases:
        themes = ", ".join(sorted({case.suite for case in load_cases()}))
        raise ValueError(f"there is no suite or case “{name}”; the suites are {themes}")
    return cases
