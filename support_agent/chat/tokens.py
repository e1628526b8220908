"""The click's token, put into a proposal when it is rendered for its owner and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tickets.services.actions import action_token

Json = dict[str, Any]


def with_token(event: Json, conversation_id: UUID, customer_id: UUID | None) -> Json:
    """The event; a waiting proposal gets the token its customer's click must bring. The given dict stays as it was."""
    if event["type"] != "action" or event["action"]["state"] != "proposed" or customer_id is None:
        return event
    action = event["action"]
    token = action_token(
        action_id=action["id"],
        conversation_id=conversation_id,
        customer_id=customer_id,
        tool=action["tool"],
        arguments=action["arguments"],
        expires_at=action["expires_at"],
    )
    return {**event, "action": {**action, "token": token}}


def with_tokens(events: Iterable[Json], conversation_id: UUID, customer_id: UUID | None) -> list[Json]:
    return [with_token(event, conversation_id, customer_id) for event in events]
