"""A task: one thing to do now, with all that is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from support_agent.llm.demo.slots import Slots

ABOUT_ORDER = frozenset(
    {"track", "order_info", "cancel", "return", "exchange", "refund", "return_status", "problem", "why"}
)


ABOUT_ACCOUNT = ABOUT_ORDER | {"update", "invoice", "orders_list", "account_info", "ticket_status", "ticket", "verify"}


@dataclass(frozen=True, slots=True)
class Task:
    """`text` is what to search for or to write down; `after` the intent that a 'why' or 'tell me more' goes back to."""

    intent: str
    text: str
    slots: Slots = field(default_factory=Slots)
    score: float = 1.0
    accepted: bool = False  # the customer said yes to the assistant's offer of it
    after: str = ""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Where the conversation stands after the newest message."""

    tasks: tuple[Task, ...] = ()
    task: Task | None = None  # the task that goes on: small talk does not end it
    order: str = ""  # the order in focus
    listed: tuple[str, ...] = ()  # the orders the assistant named last
    email: str = ""
    query: str = ""  # the last question for the help centre
    angry: int = 0
    asked: str = ""  # the question the newest message could answer
    upset_now: bool = False
    code_requested: bool = False
    email_now: bool = False  # the newest message gives an address
