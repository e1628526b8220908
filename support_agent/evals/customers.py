"""What a simulated customer does next, by their persona's rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from support_agent.evals.asking import KINDS, asks_consent, asks_for
from support_agent.evals.mind import Mind
from support_agent.evals.persona_parts import Rule
from support_agent.evals.personas import Persona
from support_agent.evals.screen import Screen
from support_agent.evals.styles import styled
from tickets.db import in_db

Does = Literal["say", "confirm", "decline", "undo", "code", "person", "stop"]
MOST_STUCK = 2  # times in a row that nothing fitted
MOST_AGREED = 3
NO_CODE = ("No code has come.",)
A_GUESS = "123456"


@dataclass(frozen=True, slots=True)
class Move:
    """One thing the customer does: `text` is what they say, or the code they type; `because` is for the report."""

    does: Does
    text: str = ""
    because: str = ""


@dataclass(slots=True)
class ScriptedCustomer:
    """Plays a persona by its rules. The same `draw` and the same screens give the same moves."""

    mind: Mind
    draw: Random
    _used: dict[int, int] = field(default_factory=dict)  # rules, by their place
    _brought_up: int = 0
    _agreed: int = 0
    _stuck: int = 0
    _tries: int = 0  # with the form for the code
    _after_form: bool = False  # it was spoken of
    _to_add: tuple[str, ...] = ()  # what is said after a click
    _has_begun: bool = False

    @property
    def persona(self) -> Persona:
        return self.mind.persona

    async def move(self, screen: Screen) -> Move:
        return await in_db(self._move, screen)

    def _move(self, screen: Screen) -> Move:
        if not self._has_begun:
            self._has_begun = True
            return self._say(self.persona.opening, "opens the conversation")
        move = self._rule(screen) or self._form(screen) or self._offer(screen) or self._addition()
        if move is None and screen.has_person:
            return Move("stop", because="somebody takes over")
        move = move or self._answer(screen) or self._consent(screen) or self._next()
        self._stuck = 0 if move else self._stuck + 1
        return move or self._otherwise()

    def _rule(self, screen: Screen) -> Move | None:
        for place, rule in enumerate(self.persona.answers):
            if self._used.get(place, 0) < rule.times and self._fits(rule, screen):
                self._used[place] = self._used.get(place, 0) + 1
                because = f"answers “{rule.when or rule.asked}”"
                return Move(rule.press, because=because) if rule.press else self._say(rule.say, because)
        return None

    def _fits(self, rule: Rule, screen: Screen) -> bool:
        if rule.when:
            return re.search(rule.when, screen.words, re.I) is not None
        fact = self.persona.facts.get(rule.asked)
        return asks_for("\n".join(screen.heard), (fact.asked if fact else "") or KINDS[rule.asked])

    def _form(self, screen: Screen) -> Move | None:
        """The form for the code, as long as it is open; what they say when they are done with it."""
        does = self.persona.proof.does
        if screen.form == "requested" and does != "refuse":
            if does == "guess":
                return Move("code", A_GUESS, "guesses")
            if screen.mailed:
                self._tries += 1
                mistyped = does == "mistype" and self._tries == 1
                return Move("code", _mistyped(screen.mailed) if mistyped else screen.mailed, "reads their mailbox")
        if not screen.form or self._after_form:
            return None
        self._after_form = True
        return self._say(NO_CODE if screen.form == "requested" and does != "refuse" else self.persona.proof.say, "form")

    def _offer(self, screen: Screen) -> Move | None:
        card = screen.offer
        if card is None:
            return None
        verdict, offer = self.mind.verdict(card)
        self._to_add = offer.say if offer else ()
        return Move("confirm" if verdict == "accept" else "decline", because=f"the offer is one to {verdict}")

    def _addition(self) -> Move | None:
        lines, self._to_add = self._to_add, ()
        return self._say(lines, "adds to the click") if lines else None

    def _answer(self, screen: Screen) -> Move | None:
        """All facts that were asked for, in one message."""
        if not (asked := self.mind.asked("\n".join(screen.heard))):
            return None
        lines = [self.draw.choice(self.persona.facts[name].say or (f"{{{name}}}",)) for name in asked]
        return self._say((", ".join(lines),), f"is asked for {', '.join(asked)}")

    def _consent(self, screen: Screen) -> Move | None:
        """A yes to what they are offered in words; who means harm agrees to nothing."""
        to_person = self.persona.satisfied.person
        if self._agreed == MOST_AGREED or not self.persona.agrees or self.persona.ends == "denied":
            return None
        if not asks_consent("\n".join(screen.heard), to_person=to_person):
            return None
        self._agreed += 1
        return self._say(self.persona.agrees, "agrees")

    def _next(self) -> Move | None:
        if self._brought_up == len(self.persona.brings_up):
            return None
        self._brought_up += 1
        return self._say(self.persona.brings_up[self._brought_up - 1], "brings it up")

    def _otherwise(self) -> Move:
        """Nothing fits: who means harm goes; others ask, then tell what they know, then give up."""
        if self.persona.ends == "denied":
            return Move("stop", because="has nothing left to try")
        if self._stuck > MOST_STUCK:
            return Move("stop", because="gives up: nothing fits")
        if self._stuck == MOST_STUCK and (untold := self.mind.volunteer()):
            return self._say((", ".join(f"{{{name}}}" for name in untold),), "tells what nobody asked for")
        return self._say((self.persona.otherwise[min(self._stuck, len(self.persona.otherwise)) - 1],), "nothing fits")

    def _say(self, lines: tuple[str, ...], because: str) -> Move:
        line = styled(self.draw.choice(lines), self.persona.style, self.draw)
        return Move("say", self.mind.fill(line), because)


def _mistyped(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)
