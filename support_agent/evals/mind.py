"""What a simulated customer wants and remembers, whoever plays them; and what went wrong in their eyes.

Nothing here reads the database but for the values of placeholders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from support_agent.evals.asking import KINDS, asks_for
from support_agent.evals.persona_parts import Offer, Value
from support_agent.evals.personas import Persona
from support_agent.evals.screen import Card, Screen
from support_agent.evals.world import World, written

Verdict = Literal["accept", "decline", "wrong"]


@dataclass(slots=True)
class Mind:
    persona: Persona
    world: World
    told: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    _verdicts: dict[str, tuple[Verdict, Offer | None]] = field(default_factory=dict)  # by card

    def value(self, fact: str) -> str:
        return self.world.fill(self.persona.facts[fact].value)

    def fill(self, line: str) -> str:
        """The line with facts and the world's values in place of their names."""
        for name in self.persona.facts:
            line = line.replace(f"{{{name}}}", self.value(name))
        return self.world.fill(line)

    def asked(self, text: str) -> list[str]:
        """The facts that a text asks for."""
        return [name for name, fact in self.persona.facts.items() if asks_for(text, fact.asked or KINDS[name])]

    def heard(self, text: str) -> None:
        """Note a message of the assistant's: nobody wants to be asked twice."""
        for name in self.asked(text):
            if name in self.told and not self.persona.facts[name].again:
                self.failures.append(f"asked again for {name}, which it had been told: “{_short(text)}”")

    def said(self, text: str) -> None:
        """Note which facts a message of the customer's own tells."""
        for name in self.persona.facts:
            if re.search(rf"(?<!\w){re.escape(self.value(name))}(?!\w)", text, re.I):
                self.told.add(name)

    def volunteer(self) -> list[str]:
        """The facts that nobody asked for, told so that it goes on at all: a failure."""
        untold = [name for name in self.persona.facts if name not in self.told]
        if untold:
            self.failures.append(f"had to be told {', '.join(untold)} unasked")
        return untold

    def verdict(self, card: Card) -> tuple[Verdict, Offer | None]:
        """What the customer thinks of an offer. Each of those that they expect is for one card: first what they
        decline, then what they accept; anything else is wrong."""
        if card.id not in self._verdicts:
            self._verdicts[card.id] = found = self._judged(card)
            if found[0] == "wrong":
                told = ", ".join(f"{name} {written(value)}" for name, value in card.arguments.items())
                self.failures.append(f"offered what they do not want: {card.tool} ({told})")
        return self._verdicts[card.id]

    def _judged(self, card: Card) -> tuple[Verdict, Offer | None]:
        used = [offer for _, offer in self._verdicts.values()]
        kinds: tuple[tuple[Verdict, tuple[Offer, ...]], ...] = (
            ("decline", self.persona.declines),
            ("accept", self.persona.accepts),
        )
        for verdict, offers in kinds:
            for offer in offers:
                if not any(offer is one for one in used) and self._is(offer, card):
                    return verdict, offer
        return "wrong", None

    def _is(self, offer: Offer, card: Card) -> bool:
        names = {*offer.arguments, *card.arguments} - ({"reason"} - set(offer.arguments))
        return offer.tool == card.tool and all(
            self._filled(offer.arguments.get(name)) == _listed(card.arguments.get(name)) for name in names
        )

    def _filled(self, value: Value | None) -> list[str]:
        return sorted(self.fill(one) for one in _listed(value))

    def is_satisfied(self, screen: Screen) -> bool:
        """Whether all that they want is there."""
        wanted, text, states = self.persona.satisfied, "\n\n".join(screen.texts).casefold(), screen.card_states()
        return (
            all(_is_in(text, self.fill(said)) for said in wanted.says)
            and all(state in states for state in wanted.cards)
            and all(screen.account.get(path) == self.fill(value) for path, value in wanted.end.items())
            and (screen.has_person or not wanted.person)
        )


def _is_in(text: str, wanted: str) -> bool:
    """Whether one of the choices of `a | b` is there."""
    return any(choice.strip().casefold() in text for choice in wanted.split(" | "))


def _listed(value: object) -> list[str]:
    """A value as sorted texts, so that the order of a list does not matter; nothing for None."""
    if value is None:
        return []
    return sorted(written(one) for one in value) if isinstance(value, list | tuple) else [written(value)]


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"
