"""What a persona is made of: lines, facts, rules, offers, and what satisfies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from support_agent.evals.strict import Strict

PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)*)\}")
Value = str | int | bool | tuple[str, ...]


def listed(written: Any) -> Any:
    return [written] if isinstance(written, str) else written


Lines = Annotated[tuple[str, ...], BeforeValidator(listed)]


def _pattern(written: str) -> str:
    try:
        re.compile(written)
    except re.error as problem:
        raise ValueError(f"“{written}” is no regular expression: {problem}") from None
    return written


Pattern = Annotated[str, BeforeValidator(_pattern)]


def names_in(lines: Iterable[str]) -> set[str]:
    """What the lines name in braces: 'order', 'paid_order.total'."""
    return {name for line in lines for name in PLACEHOLDER.findall(line)}


class Fact(Strict):
    """Something the customer knows. `asked` recognises a question for it; without one, its name is a kind of asking.py.

    `again` allows that it is asked for once more after it was told.
    """

    value: str = Field(alias="is")
    asked: Pattern = ""
    say: Lines = ()
    again: bool = False


def fact_of(written: Any) -> Any:
    return {"is": str(written)} if isinstance(written, str | int) else written


class Rule(Strict):
    """When the newest words or cards match `when`, or ask for the fact or kind `asked`: say a line, press a button.

    The first rule that matches and has not been used `times` yet decides; rules come before everything else.
    """

    when: Pattern = ""
    asked: str = ""
    say: Lines = ()
    press: Literal["", "person", "undo"] = ""
    times: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Rule:
        if bool(self.when) == bool(self.asked):
            raise ValueError("an answer has one of when, asked")
        if bool(self.say) == bool(self.press):
            raise ValueError("an answer has one of say, press")
        return self


class Offer(Strict):
    """A card: its tool and exactly its arguments, of which only a `reason` that is not named does not matter.

    After a click the customer may say a line.
    """

    tool: str
    arguments: dict[str, Value] = {}
    say: Lines = ()


class Proof(Strict):
    """What the customer does with the form for the code: enter the one in their mailbox, mistype it first, guess, or
    nothing; and what they say after it."""

    does: Literal["enter", "mistype", "guess", "refuse"] = "enter"
    say: Lines = ("I have entered the code.",)


class Satisfied(Strict):
    """When the customer has what they want: all that is named here.

    says: in the answers, `a | b` being either; cards: `tool state`, as the chat shows them; end: fields of their own
    records, as their account page would show them; person: somebody takes over.
    """

    says: Lines = ()
    cards: Lines = ()
    end: dict[str, str] = {}
    person: bool = False

    @model_validator(mode="after")
    def _is_something(self) -> Satisfied:
        if not (self.says or self.cards or self.end or self.person):
            raise ValueError("say what satisfies: one of says, cards, end, person")
        if foreign := [path for path in self.end if path.startswith("other")]:
            raise ValueError(f"a customer cannot see what is somebody else's: {', '.join(foreign)}")
        return self
