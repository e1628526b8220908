"""The product's own way: its public functions, from the customer's message to the final commit."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

from support_agent.agent.types import StepRecord, TurnState
from support_agent.models import Turn
from support_agent.runtime.attempt import Attempt
from support_agent.runtime.claims import claim
from support_agent.runtime.submit import submit_message
from tests.benchmarks.writes.stub import StubModel
from tickets.access import Visitor
from tickets.db import in_db
from tickets.models import Conversation

OWNER = "bench"


@dataclass(slots=True)
class Seen:
    """What the engine handed to its sink, one entry a checkpoint: its steps, and its state as JSON."""

    checkpoints: list[tuple[list[StepRecord], dict[str, Any]]] = field(default_factory=list)


class SeenAttempt(Attempt):
    """An attempt whose checkpoints are kept, so that the plain way writes the very same steps."""

    def __init__(self, turn: Turn, model: StubModel, seen: Seen) -> None:
        super().__init__(turn, model)
        self._seen = seen

    async def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        self._seen.checkpoints.append(([deepcopy(record) for record in records], deepcopy(asdict(state))))
        await super().steps(records, state)


async def turn(conversation: Conversation, text: str, seen: Seen | None = None) -> Turn:
    """One whole turn; `seen` notes its checkpoints, outside of what is measured."""
    await in_db(submit_message, conversation=conversation, visitor=Visitor(), client_message_id=uuid4(), text=text)
    (claimed,) = await in_db(claim, OWNER, 1)
    model = StubModel()
    await (Attempt(claimed, model) if seen is None else SeenAttempt(claimed, model, seen)).run()
    return claimed
