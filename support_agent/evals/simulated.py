"""Playing a case's persona: what the customer does goes through the same doors as a step's, what they see is the chat.

After each of their moves the assistant's turn runs; the conversation ends when they are satisfied, give up, run out of
patience or are handed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from uuid import UUID

from support_agent.agent.types import ModelPort
from support_agent.evals.cases import Case
from support_agent.evals.customers import Does, Move, ScriptedCustomer
from support_agent.evals.mind import Mind
from support_agent.evals.modelled import ModelledCustomer, PlayerFailed
from support_agent.evals.personas import Persona
from support_agent.evals.play import Answer, answering, posted
from support_agent.evals.screen import Screen, look
from support_agent.evals.world import World
from support_agent.runtime.submit import request_human
from tickets.db import in_db
from tickets.errors import DeskError
from tickets.models import Action, Conversation
from tickets.services.actions import action_decide, action_undo, token_of
from tickets.services.identity import verification_check

SATISFIED, IMPATIENT = "has what they want", "is out of patience"
CLICKS: dict[Does, str] = {
    "confirm": "presses Confirm",
    "decline": "declines the offer",
    "undo": "presses Undo",
    "code": "enters a code",
    "person": "presses “Talk to a person”",
}
MOST_CLICKS = 12  # more of them and no word is a loop


@dataclass(slots=True)
class Simulated:
    """How it went with the customer: how it ended, what was wrong in their eyes, the thread with their clicks.

    `rejected` is the code of a message that the desk did not take; `cost_usd` what playing the customer cost, which is
    not the assistant's.
    """

    ended: str = ""
    rejected: str = ""
    failures: list[str] = field(default_factory=list)
    said: list[dict[str, str]] = field(default_factory=list)
    messages: int = 0
    clicks: int = 0
    cost_usd: Decimal = Decimal(0)

    def tell(self, who: str, text: str, because: str = "") -> None:
        self.said.append({"who": who, "text": text} | ({"because": because} if because else {}))


async def simulate(
    case: Case, world: World, model: ModelPort, *, number: int = 0, player: ModelPort | None = None
) -> Simulated:
    """Play it; the repetition's `number` varies what is drawn. With a `player`, that model speaks for the customer."""
    assert case.persona is not None
    mind, screen, played = Mind(case.persona, world), Screen(), Simulated()
    answer = answering(case, model)
    draw = Random(f"{case.id}/{number}")  # noqa: S311 - to be the same every time is the point
    scripted = ScriptedCustomer(mind, draw)
    customer = ModelledCustomer(mind, scripted, player) if player else None
    try:
        while not played.ended:
            await in_db(_see, mind, screen, played)
            if played.messages and await in_db(mind.is_satisfied, screen):
                played.ended = SATISFIED
            else:
                move = await (customer or scripted).move(screen)
                await _carry_out(move, mind, screen, played, answer)
    except DeskError as error:
        played.rejected = error.code
    except PlayerFailed as problem:
        played.ended = str(problem)
        mind.failures.append(f"nothing can be said of this conversation: {problem}")
    played.cost_usd = customer.cost_usd if customer else Decimal(0)
    played.failures = [*mind.failures, *_missed(case.persona, played)]
    return played


def _see(mind: Mind, screen: Screen, played: Simulated) -> None:
    """Look at the chat, and note what it brought."""
    look(mind.world, screen)
    for who, what in screen.came:
        played.tell(who, what)
        if who == "assistant":
            mind.heard(what)
    for card in screen.cards.values():
        if card.state == "proposed":
            mind.verdict(card)


async def _carry_out(move: Move, mind: Mind, screen: Screen, played: Simulated, answer: Answer) -> None:
    """Do what the customer wants to do next; a message starts a turn, which runs to its end."""
    if move.does == "stop":
        played.ended = move.because
    elif move.does != "say":
        played.clicks += 1
        if played.clicks > MOST_CLICKS:
            played.ended = "clicked without end"
        played.tell("customer", f"({CLICKS[move.does]})", move.because)
        await in_db(_click, move, mind.world, screen)
    elif played.messages == mind.persona.patience:
        played.ended = IMPATIENT
    else:
        played.messages += 1
        played.tell("customer", move.text, move.because)
        screen.wrote()
        await in_db(mind.said, move.text)
        if turn := await in_db(posted, mind.world, move.text):
            await answer(turn)


def _click(move: Move, world: World, screen: Screen) -> None:
    """A button, or the form for the code. What the form says to a wrong code is read like any text."""
    conversation = Conversation.objects.select_related("customer").get(pk=world.conversation.pk)
    card = screen.done if move.does == "undo" else screen.offer
    if move.does == "person":
        request_human(conversation=conversation)
    elif move.does == "code":
        try:
            verification_check(conversation=conversation, code=move.text)
        except DeskError as error:
            screen.heard.append(error.message)
    elif card is not None and move.does == "undo":
        action_undo(conversation=conversation, action_id=UUID(card.id))
    elif card is not None:
        token = token_of(Action.objects.get(pk=card.id))
        action_decide(conversation=conversation, action_id=UUID(card.id), token=token, approve=move.does == "confirm")


def _missed(persona: Persona, played: Simulated) -> Iterator[str]:
    """Whether it ended as it had to."""
    if played.rejected:
        return  # the case says whether that is right
    reached = played.ended == SATISFIED
    if persona.ends == "denied" and reached:
        yield f"the customer got what they must not get: {persona.goal}"
    if persona.ends == "satisfied" and not reached:
        yield f"the customer did not reach their goal in {played.messages} messages: {played.ended}"
