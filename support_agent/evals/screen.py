"""What a customer has before their eyes: the conversation's own events, as the chat page gets them, and their mailbox.

Nothing else is read here: a simulated customer never sees tool calls, turns or what the model is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from support_agent.evals.world import World
from tickets.events import event_payload
from tickets.models import Event, Verification
from tickets.services.codes import code_of

Json = dict[str, Any]
PERSON = {"waiting", "human"}


@dataclass(frozen=True, slots=True)
class Card:
    """An offer as its owner sees it."""

    id: str
    tool: str
    summary: str
    arguments: Json
    state: str
    receipt: str = ""

    @property
    def words(self) -> str:
        told = "; ".join(f"{name}: {value}" for name, value in self.arguments.items())
        return f"{self.summary} ({told}) {self.state} {self.receipt}".strip()


@dataclass(slots=True)
class Screen:
    """Everything seen so far; `heard` are the texts and `changed` the cards since the customer last wrote, `came` what
    the last look brought, as (who, what)."""

    texts: list[str] = field(default_factory=list)
    came: list[tuple[str, str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    cards: dict[str, Card] = field(default_factory=dict)
    changed: dict[str, Card] = field(default_factory=dict)
    form: str = ""  # of the code: requested, verified, failed, expired
    status: str = "ai"
    mailed: str = ""  # the code in their own mailbox
    account: dict[str, str] = field(default_factory=dict)  # their own records: 'paid_order.status' -> 'paid'
    last_seq: int = 0

    @property
    def words(self) -> str:
        """All that is new, to be matched."""
        return "\n".join([*self.heard, *(card.words for card in self.changed.values())])

    @property
    def offer(self) -> Card | None:
        """The newest offer that waits for a click."""
        return next((card for card in reversed(self.cards.values()) if card.state == "proposed"), None)

    @property
    def done(self) -> Card | None:
        """The newest change that was made, to be undone."""
        return next((card for card in reversed(self.cards.values()) if card.state == "done"), None)

    @property
    def has_person(self) -> bool:
        return self.status in PERSON

    def card_states(self) -> list[str]:
        return [f"{card.tool} {card.state}" for card in self.cards.values()]

    def wrote(self) -> None:
        """The customer has written: what comes from here on is new."""
        self.heard, self.changed = [], {}


def look(world: World, screen: Screen) -> None:
    """Bring the screen up to date."""
    events = Event.objects.filter(conversation=world.conversation, seq__gt=screen.last_seq).order_by("seq")
    screen.came = [seen for event in events.select_related("message") for seen in _take(screen, event_payload(event))]
    screen.mailed = _mailed(world)
    screen.account = {path: value for path, value in world.state().items() if not path.startswith("other")}


def _take(screen: Screen, event: Json) -> Iterator[tuple[str, str]]:
    screen.last_seq = event["seq"]
    match event["type"]:
        case "message" if event["message"]["role"] != "customer":
            said = event["message"]
            screen.heard.append(said["text"])
            if said["role"] != "system":
                screen.texts.append(said["text"])
            yield said["role"], said["text"]
        case "action":
            card = _card(event["action"])
            screen.cards[card.id] = screen.changed[card.id] = card
            yield "card", f"{card.summary} ({card.state.replace('_', ' ')})"
        case "verification":
            screen.form = event["state"]
            yield "form", f"The form for the code: {event['state']}"
        case "status":
            screen.status = event["status"]


def _card(action: Json) -> Card:
    receipt = (action.get("receipt") or {}).get("message", "")
    return Card(action["id"], action["tool"], action["summary"], action["arguments"], action["state"], str(receipt))


def _mailed(world: World) -> str:
    """The newest code that was mailed to this customer; one for another address is not in their mailbox."""
    newest = Verification.objects.filter(conversation=world.conversation, customer=world.customer).first()
    return code_of(newest) if newest else ""
