"""Who answers on a surface: people alone, people with drafts, or the assistant for a share of the conversations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from support_agent.agent.types import Surface
from support_agent.models import SurfaceMode
from tickets.models import Conversation, Customer, Plan

LIVE, DRAFTS, OFF = SurfaceMode.Mode.LIVE, SurfaceMode.Mode.DRAFTS, SurfaceMode.Mode.OFF
SALT = b"careful-start"  # never changes: who had the assistant keeps it
CUSTOMERS = tuple(surface for surface in Surface if surface is not Surface.BACKGROUND)


@dataclass(frozen=True, slots=True)
class Answering:
    """The mode of one surface; `percent` and `rest` matter while it is live."""

    mode: SurfaceMode.Mode = LIVE
    percent: int = 100
    rest: SurfaceMode.Mode = DRAFTS

    def of(self, conversation_id: UUID) -> SurfaceMode.Mode:
        """Who answers this conversation: the same answer every time, and raising `percent` takes it from nobody."""
        if self.mode != LIVE:
            return self.mode
        return LIVE if place_of(conversation_id) < self.percent * 100 else self.rest

    @property
    def is_people_only(self) -> bool:
        return self.mode != LIVE or self.percent == 0

    @property
    def words(self) -> str:
        """In a few words, for staff."""
        if self.mode != LIVE or self.percent == 100:
            return str(SurfaceMode.Mode(self.mode).value)
        return f"live for {self.percent} %, the others {self.rest.value}"


def place_of(conversation_id: UUID) -> int:
    """Where a conversation stands among all, 0 to 9999: evenly spread, and never moved."""
    return int.from_bytes(blake2b(conversation_id.bytes, digest_size=8, key=SALT).digest(), "big") % 10_000


def read_modes() -> Mapping[Surface, Answering]:
    """One query; a surface nobody has touched is live for everybody."""
    modes = dict.fromkeys(Surface, Answering())
    return modes | {Surface(row.surface): answering_by(row) for row in SurfaceMode.objects.all()}


def answering_by(row: SurfaceMode) -> Answering:
    """What staff said of one surface."""
    return Answering(SurfaceMode.Mode(row.mode), row.percent, SurfaceMode.Mode(row.rest))


def surface_of(conversation: Conversation) -> Surface:
    """Where the customer is; limits and who answers follow from it."""
    if conversation.channel == Conversation.Channel.TASK:
        return Surface.BACKGROUND
    return surface_of_customer(conversation.customer)


def surface_of_customer(customer: Customer | None) -> Surface:
    """Of somebody who has no conversation yet."""
    if customer is None:
        return Surface.ANONYMOUS
    paying = {Plan.PLUS: Surface.PAYING, Plan.ENTERPRISE: Surface.ENTERPRISE}
    return paying.get(Plan(customer.plan), Surface.SIGNED_IN)
