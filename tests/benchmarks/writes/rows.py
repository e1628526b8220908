"""How many rows there are of what a turn writes: both ways must write as many."""

from __future__ import annotations

from support_agent.models import Step, ToolCall, Turn
from support_agent.models.limits import Spend
from tickets.models import Event, Message


def rows_now() -> dict[str, int]:
    """By table."""
    return {model.__name__: model._default_manager.count() for model in (Message, Event, Turn, Step, ToolCall, Spend)}
