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
