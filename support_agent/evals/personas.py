"""Personas: simulated customers, as a case describes them instead of its steps.

A persona has a goal, facts that it tells only when it is asked, and rules for what else it says and clicks. `{order}`
in its lines is the fact of that name, told by that line; every other placeholder is one of the case's world. Where
several phrasings stand in a list, one is drawn; a single text is a list of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from support_agent.evals.asking import KINDS
from support_agent.evals.persona_parts import (
    PLACEHOLDER,
    Fact,
    Lines,
    Offer,
    Proof,
    Rule,
    Satisfied,
    fact_of,
    listed,
    names_in,
)
from support_agent.evals.strict import Strict

Style = Literal["plain", "terse", "sloppy", "rambling", "angry"]
MOST_PATIENCE = 15  # messages: the chat takes 20 a minute, and rules write them in seconds


class Persona(Strict):
    """A simulated customer.

    goal, style     who they are, in words; the style also colours the lines
    opening         what they say first
    facts           told only when asked (or by a line that names them)
    answers         rules
    accepts         the offers they press Confirm on; `declines` those they expect and do not want. Any other is wrong
    agrees          what they say to “Shall I …?”, three times at most; who wants a person, only to that; [] never
    brings_up       what they say by themselves when nothing is asked, one after another
    satisfied       what they want; for `ends: denied` what they must never get
    patience        how many messages they write
    otherwise       what they say when nothing fits, at most twice in a row
    """

    goal: str = Field(min_length=1)
    style: Style = "plain"
    opening: Lines = Field(min_length=1)
    facts: dict[str, Annotated[Fact, BeforeValidator(fact_of)]] = {}
    answers: tuple[Rule, ...] = ()
    accepts: tuple[Offer, ...] = ()
    declines: tuple[Offer, ...] = ()
    proof: Proof = Proof()
    agrees: Lines = ("Yes, please.",)
    brings_up: tuple[Lines, ...] = ()
    satisfied: Satisfied
    ends: Literal["satisfied", "denied"] = "satisfied"
    patience: int = Field(8, ge=1, le=MOST_PATIENCE)
    otherwise: Lines = Field(("What do you need to know from me?", "I don't know what to say to that."), min_length=1)

    @field_validator("brings_up", mode="before")
    @classmethod
    def _each_a_list(cls, written: Any) -> Any:
        return [listed(one) for one in written] if isinstance(written, list) else written

    @model_validator(mode="after")
    def _is_consistent(self) -> Persona:
        for name, fact in self.facts.items():
            if not PLACEHOLDER.fullmatch(f"{{{name}}}") or "." in name:
                raise ValueError(f"the name of the fact “{name}” may hold small letters and _ only")
            if not fact.asked and name not in KINDS:
                raise ValueError(f"the fact “{name}” says with `asked` how it is asked for; known are {_known()}")
        if unknown := {rule.asked for rule in self.answers if rule.asked} - {*self.facts, *KINDS}:
            raise ValueError(f"nobody asks for {', '.join(sorted(unknown))}; known are {_known()} and the facts")
        if told := names_in(self.otherwise) & set(self.facts):
            raise ValueError(f"`otherwise` may not tell a fact, it is told when nothing else helps: {_braced(told)}")
        return self

    def lines(self) -> list[str]:
        """Everything they may ever say, for checks."""
        said = [
            *self.opening,
            *self.otherwise,
            *self.agrees,
            *self.proof.say,
            *(line for lines in self.brings_up for line in lines),
        ]
        said += [line for rule in self.answers for line in rule.say]
        said += [line for offer in (*self.accepts, *self.declines) for line in offer.say]
        return said + [line for fact in self.facts.values() for line in (fact.value, *fact.say)]

    def check_names(self, known: Iterable[str]) -> None:
        """Raises ValueError when a line names what is neither a fact nor among `known` (records and people)."""
        heads = set(known)
        if taken := heads & set(self.facts):
            raise ValueError(f"a fact cannot have the name of a record: {', '.join(sorted(taken))}")
        end = self.satisfied.end
        wanted = [self.goal, *self.satisfied.says, *end.values(), *(f"{{{path}}}" for path in end)]
        for offer in (*self.accepts, *self.declines):
            for value in offer.arguments.values():
                wanted += value if isinstance(value, tuple) else [str(value)]
        named = names_in([*self.lines(), *wanted])
        unknown = {name for name in named if name not in heads and name.rpartition(".")[0] not in heads}
        if unknown := unknown - set(self.facts):
            raise ValueError(f"{_braced(unknown)} is neither a fact nor a record of this case")


def _known() -> str:
    return ", ".join(KINDS)


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
