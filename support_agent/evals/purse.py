"""The budget of a run: no case starts that could pass it, and no call of one that did start goes out if it could."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from support_agent.agent.types import ModelFailure, ModelPort, ModelReply, ModelRequest, OnText, Tier

OVER = "not run: it could have passed the budget"
CUT = "cut short: its next call could have passed the budget"


@dataclass(eq=False, slots=True)
class Room:
    """What a case that runs may still spend before it costs more than it may, in USD."""

    left: Decimal


class Purse:
    """What a run may spend, in USD."""

    def __init__(self, budget: Decimal) -> None:
        self.budget, self.spent = budget, Decimal(0)
        self._in_flight = Decimal(0)
        self._rooms: set[Room] = set()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def room(self, most: Decimal) -> AsyncIterator[Room | None]:
        """Room for a case that costs `most` at most; None when it could pass the budget.

        Where only those that run now stand in the way, it waits for what they leave.
        """
        mine = Room(most)
        async with self._changed:
            await self._changed.wait_for(lambda: self._has(most) or not self._rooms)
            if is_open := self._has(most):
                self._rooms.add(mine)
        try:
            yield mine if is_open else None
        finally:
            async with self._changed:
                self._rooms.discard(mine)
                self._changed.notify_all()

    def _has(self, most: Decimal) -> bool:
        return self.spent + sum((room.left for room in self._rooms), most) <= self.budget

    def take(self, most: Decimal) -> bool:
        """Reserve the worst case of a call; False when it could pass the budget."""
        if self.spent + self._in_flight + most > self.budget:
            return False
        self._in_flight += most
        return True

    def give(self, room: Room, most: Decimal, spent: Decimal) -> None:
        """Settle a call of a case: what was reserved for it, and what it cost."""
        self._in_flight -= most
        self.spent += spent
        room.left = max(Decimal(0), room.left - spent)


class Metered:
    """A ModelPort for one run of a case that asks the purse before each call; `cut` when one was not let out."""

    def __init__(self, model: ModelPort, purse: Purse, room: Room) -> None:
        self._model, self._purse, self._room = model, purse, room
        self.cut = False

    def model_id(self, tier: Tier) -> str:
        return self._model.model_id(tier)

    def worst_case_usd(self, request: ModelRequest) -> Decimal:
        return self._model.worst_case_usd(request)

    async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        most = self._model.worst_case_usd(request)
        if self.cut or not self._purse.take(most):
            self.cut = True
            raise ModelFailure("rejected", CUT)
        spent = most  # a call that is broken off in the middle may have cost so much
        try:
            reply = await self._model.call(request, on_text)
            spent = reply.spend.cost_usd
        except ModelFailure as failure:
            spent = failure.spend.cost_usd
            raise
        finally:
            self._purse.give(self._room, most, spent)
        return reply
