"""A past conversation as it is told: what was said, what the assistant looked up, how it ended. No rows yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tickets.models import Customer, EscalationReason, User

Json = dict[str, Any]


@dataclass
class Call:
    """One tool call; `result` is what the model read, with its status."""

    tool: str
    arguments: Json
    result: Json


@dataclass
class Proposal:
    """A mutation that was offered. `made` is the row it led to (a return, a refund …), which then points back at it."""

    tool: str
    arguments: Json
    summary: str
    preview: Json
    state: str  # an Action.State; what became of it
    receipt: Json = field(default_factory=dict)
    made: Any = None
    id: UUID | None = field(default=None, init=False)


@dataclass
class Exchange:
    """One customer message and the turn that answers it. `answer` is empty when the turn failed."""

    said: str
    answer: str
    calls: list[Call] = field(default_factory=list)
    topic: str = "other"
    subject: str = "technical"
    fast: bool = False
    complexity: str = "simple"
    sources: list[Json] = field(default_factory=list)
    proposal: Proposal | None = None
    verified: bool = False  # the customer typed the e-mailed code right after this answer
    rejected: str = ""  # a first draft that the critic refused
    failure: str = ""  # what went wrong with the model


@dataclass
class Handover:
    """How a person came in. Nothing is `said` and nobody is `staff` while it still waits."""

    reason: EscalationReason
    summary: str
    team: str
    said: list[tuple[str, str]] = field(default_factory=list)  # (staff or customer, words) from the claim on
    staff: User | None = None


@dataclass
class Story:
    """One conversation. `ending`: closed | ai | waiting | human."""

    topic: str
    exchanges: list[Exchange]
    customer: Customer | None = None
    ending: str = "closed"
    channel: str = "chat"
    handover: Handover | None = None
    started_at: datetime | None = None
    due_in_minutes: float = 0  # of an open escalation: minutes from now to its deadline, negative when overdue
