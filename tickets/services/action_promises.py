"""What an action promises its customer: a decision of ours, or that a reported problem is dealt with."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets import hours
from tickets.models import Action, DeliveryProblem, Promise
from tickets.services.promises import promise_make, promises_settle

State = Action.State
WORKDAYS = 1  # as the help centre says: approvals and replacements within one business day
WISHED = {
    DeliveryProblem.Wish.REPLACEMENT: gettext_lazy("We see to the replacement for order %(number)s."),
    DeliveryProblem.Wish.REFUND: gettext_lazy("We see to the refund for order %(number)s."),
}
DECIDED = {State.DONE, State.FAILED, State.DECLINED}


def about(action: Action) -> str:
    """What a promise of this action is about."""
    return f"action:{action.pk}"


def action_promised(action: Action) -> None:
    """Make or settle the action's promise after its state changed; the caller's transaction holds the lock."""
    if action.state == State.AWAITING_STAFF:
        _make(action, _("A colleague decides about this: %(summary)s") % {"summary": action.summary})
    elif action.state == State.DONE and action.tool == "report_delivery_problem":
        wish = DeliveryProblem.Wish(action.arguments["wish"])
        if wish != DeliveryProblem.Wish.WAIT:
            _make(action, WISHED[wish] % {"number": action.arguments["order_number"]})
    elif action.state in DECIDED:
        promises_settle(conversation=action.conversation, about=about(action), state=Promise.State.KEPT)


def was_kept(promise: Promise) -> bool:
    """Whether staff closed the reported problem, or its ticket, that an open promise is about."""
    kind, _, action_id = promise.about.partition(":")
    if kind != "action":
        return False
    problem = DeliveryProblem.objects.filter(action=UUID(action_id)).first()
    return problem is not None and not problem.is_open


def _make(action: Action, text: str) -> None:
    due_at = hours.closing_after(timezone.now(), WORKDAYS)
    promise_make(conversation=action.conversation, text=text, due_at=due_at, about=about(action))
