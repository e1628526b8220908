"""Where the agent joins the desk without the desk knowing it: plain lists of callables, filled when apps are ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

    from tickets.models import Action, Conversation, Effect

# Called in the same transaction, after the row was written.
on_action_changed: list[Callable[[Action], None]] = []
# Called in the same transaction, before the status event: nothing of the assistant may come after it.
on_people_took_over: list[Callable[[Conversation, str], None]] = []  # why is taken_over, closed or erased
# Called in the same transaction, when somebody has one conversation less: what waits may be theirs.
on_hands_free: list[Callable[[], None]] = []
# Called in the same transaction, when the worker has to send an effect, or to ask what became of it.
on_effect_due: list[Callable[[Effect], None]] = []
# Asked whether the session of a member of staff opens the desk, for pages outside it; each must agree.
opens_desk: list[Callable[[HttpRequest], bool]] = []
