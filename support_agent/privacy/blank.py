"""What stands where somebody's words were."""

from __future__ import annotations

from typing import Any

from tickets.models.conversations import ERASED as ERASED

# What gives an event or a step its shape and names nobody: clients and pages must still be able to draw it.
STRUCTURE = {
    "action_id", "attempt", "code", "created_at", "due_at", "expires_at", "helpful", "how", "id", "index", "kind",
    "message_id", "model", "queue_position", "role", "state", "status", "survey", "team", "tool", "turn_id",
    "type", "undo_until",
}  # fmt: skip
EMPTY = {"arguments", "preview", "receipt", "input", "output", "result"}


def blank(value: Any) -> Any:
    """JSON with its shape, its figures and its states, and without anybody's words."""
    if isinstance(value, str):
        return ERASED if value else ""
    if isinstance(value, list):
        return [blank(item) for item in value]
    if isinstance(value, dict):
        return {name: _field(name, item) for name, item in value.items()}
    return value


def _field(name: str, value: Any) -> Any:
    if name in EMPTY and isinstance(value, dict):
        return {}
    return value if name in STRUCTURE and not isinstance(value, dict | list) else blank(value)
