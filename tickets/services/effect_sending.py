"""Sending effects, and finding out what became of them.

    intended ─claimed→ sending ─answered→ done | refused
        ↑ ↑              │  └─ nothing was sent: intended again, after a pause
        │ └── never ──┐  └─ answer lost, or whoever sent it died
        │             unknown ─asked→ done | refused | still unknown, asked again after a longer pause
        └─ staff: send again ── given_up (with a person) ─staff→ done | refused

Nothing is sent a second time unless the other system says that the first never arrived, or that it could not be reached
at all, or staff say so; and then under the same key, once it was asked what became of the first. No transaction is open
while it is asked. What settles an effect settles its action and tells the customer in one transaction; whoever comes
later finds it settled.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.access import require_role
from tickets.backends.port import AnswerLost, Outcome, Unreachable
from tickets.errors import Conflict, DeskError, NotFound
from tickets.languages import speaking
from tickets.models import Action, Effect, User
from tickets.services import actions, executors
from tickets.services.audit import audit
from tickets.services.conversations import lock
from tickets.services.effects import PERFORM, TRIED_FOR, Performer, performer_of, send_soon
from tickets.services.escalations import escalation_decided
from tickets.services.executors import Receipt
from tickets.services.refunds import ApprovalNeeded

log = logging.getLogger(__name__)
State = Effect.State
LEASE = timedelta(minutes=1)  # longer than an adapter waits for an answer
PAUSES_S = (2, 5, 10, 20, 40, 60, 120, 240)  # the last one again and again
ROUNDS = 4  # of sending and asking in one go, when the other system knows at once
LOOKED_AT = (State.INTENDED, State.SENDING, State.UNKNOWN)


def effect_send(effect_id: str) -> None:
    """Do what is due: send it, or ask what became of it. Safe to run at any time, by several at once."""
    for __ in range(ROUNDS):
        effect = _due().select_related("action__conversation", "action__customer").filter(pk=effect_id).first()
        if effect is None:
            return
        performer = performer_of(effect.action.tool)
        if performer is None:  # the tool, or its server, is not there any more
            _give_up(effect, "Nothing is configured that could send this, or say what became of it.")
        elif effect.state == State.INTENDED:
            _send(effect, performer)
        elif effect.state == State.SENDING:
            _lost(effect, "Whoever sent it ended before its answer came.")
        else:
            _ask(effect, performer)


def effects_due(*, limit: int = 200) -> int:
    """Have the worker look at what is due; how many."""
    found = list(_due().order_by("next_at")[:limit])
    for effect in found:
        with transaction.atomic():
            send_soon(effect)
    return len(found)


def _due() -> QuerySet[Effect]:
    return Effect.objects.filter(state__in=LOOKED_AT, next_at__lte=timezone.now())


def _send(effect: Effect, performer: Performer) -> None:
    now = timezone.now()
    mine = Effect.objects.filter(pk=effect.pk, state=State.INTENDED, attempts=effect.attempts)
    if not mine.update(state=State.SENDING, attempts=F("attempts") + 1, sent_at=now, next_at=now + LEASE):
        return
    effect.state, effect.attempts = State.SENDING, effect.attempts + 1
    outcome = _outcome(effect, performer) if effect.attempts > 1 else Outcome("never")
    if outcome.state in ("done", "refused"):
        _settle(effect, outcome)
    else:
        _perform(effect, performer, in_doubt=outcome.state == "unknown" and effect.questions > 0)


def _perform(effect: Effect, performer: Performer, *, in_doubt: bool) -> None:
    """Send it. `in_doubt` when an earlier try may have done it: then a refusal does not say that it is not done."""
    action = effect.action
    try:
        with speaking(action.conversation.locale):
            receipt = Receipt({})
            if effect.kind == PERFORM:
                receipt = performer.perform(action, key=effect.key, approved_by=effect.approved_by)
            else:
                performer.undo(action, key=effect.key)
    except Unreachable as error:
        _not_sent(effect, error.message, in_doubt=in_doubt)
    except AnswerLost as error:
        _lost(effect, error.message)
    except DeskError as error:
        if in_doubt:
            _give_up(effect, error.message)
        elif isinstance(error, ApprovalNeeded):
            _for_staff(effect)
        else:
            _refused(effect, getattr(error, "reason", error.code), error.message)
    except Exception as error:  # it may have been sent
        log.exception("effect_failed", extra={"effect_id": str(effect.pk)})
        _lost(effect, type(error).__name__)
    else:
        _done(effect, receipt)


def _ask(effect: Effect, performer: Performer) -> None:
    now = timezone.now()
    mine = Effect.objects.filter(pk=effect.pk, state=State.UNKNOWN, questions=effect.questions)
    if not mine.update(questions=F("questions") + 1, next_at=now + LEASE):
        return
    effect.questions += 1
    outcome = _outcome(effect, performer)
    if outcome.state in ("done", "refused"):
        _settle(effect, outcome)
    elif effect.deadline_at <= timezone.now():
        _give_up(effect, outcome.message or effect.last_error)
    elif outcome.state == "never":
        _put(effect, State.INTENDED, "It never arrived.", now)
    else:
        _put(effect, State.UNKNOWN, outcome.message, now + _pause(effect.questions))


def _outcome(effect: Effect, performer: Performer) -> Outcome:
    """What the other system says of it; `unknown` too when it cannot be asked."""
    try:
        return performer.outcome(effect.action, key=effect.key)
    except DeskError as error:
        return Outcome("unknown", message=error.message)
    except Exception as error:
        log.exception("outcome_failed", extra={"effect_id": str(effect.pk)})
        return Outcome("unknown", message=type(error).__name__)


def _settle(effect: Effect, outcome: Outcome) -> None:
    if outcome.state == "done":
        _done(effect, None, outcome)
    else:
        _refused(effect, outcome.code or "refused", outcome.message)


def _lost(effect: Effect, error: str) -> None:
    """Nobody knows whether it is done: to be asked at once."""
    _put(effect, State.UNKNOWN, error, timezone.now())


def _not_sent(effect: Effect, error: str, *, in_doubt: bool) -> None:
    if effect.deadline_at > timezone.now():
        _put(effect, State.INTENDED, error, timezone.now() + _pause(effect.attempts))
        return
    if in_doubt:
        _give_up(effect, error)
    else:
        _refused(effect, "unreachable", "")


def _put(effect: Effect, state: State, error: str, next_at: datetime) -> None:
    """Somebody looks at it again, then; nothing, when somebody else knows more by now."""
    mine = Effect.objects.filter(pk=effect.pk, state=effect.state, attempts=effect.attempts, questions=effect.questions)
    mine.update(state=state, next_at=next_at, last_error=error[:300])


def _pause(tries: int) -> timedelta:
    return timedelta(seconds=PAUSES_S[min(tries, len(PAUSES_S)) - 1])


@contextmanager
def held(effect: Effect) -> Iterator[tuple[Effect, Action] | None]:
    """The effect and its action, locked in the order of the house and still to be settled; None when they are. What is
    said to the customer inside is in their language."""
    with transaction.atomic():
        conversation = lock(effect.action.conversation_id)
        locked = Action.objects.select_related("customer").select_for_update(of=("self",), no_key=True)
        action = locked.get(pk=effect.action_id)
        action.conversation = conversation
        fresh = Effect.objects.select_for_update(no_key=True).filter(pk=effect.pk, settled_at=None).first()
        with speaking(conversation.locale):
            yield (fresh, action) if fresh is not None else None


def _close(effect: Effect, state: State, error: str = "") -> None:
    effect.state, effect.last_error, effect.next_at = state, error[:300], None
    effect.settled_at = None if state == State.GIVEN_UP else timezone.now()
    effect.save(update_fields=["state", "last_error", "next_at", "settled_at"])


def _done(effect: Effect, receipt: Receipt | None, outcome: Outcome | None = None) -> None:
    """It is done there. What cannot be written down here goes to a person, and is not tried for ever."""
    try:
        _settle_done(effect, receipt, outcome)
    except Exception as error:
        if isinstance(error, OperationalError) and effect.deadline_at > timezone.now():
            raise  # our database is away or busy: the clock finds the effect again
        log.exception("effect_not_settled", extra={"effect_id": str(effect.pk)})
        _give_up(effect, f"It was done, but what was answered could not be used ({type(error).__name__}).")


def _settle_done(effect: Effect, receipt: Receipt | None, outcome: Outcome | None) -> None:
    with held(effect) as found:
        if found is None:
            return
        fresh, action = found
        _close(fresh, State.DONE)
        if fresh.kind == PERFORM:
            record = outcome.record if outcome else None
            actions.succeed(action, receipt or executors.receipt(action, record))
        else:
            actions.settle(action, Action.State.UNDONE, receipt=_told(action))


def _refused(effect: Effect, reason: str, message: str) -> None:
    """It is not done and will not be. Whatever staff had approved, or could not be asked for, needs a person still."""
    with held(effect) as found:
        if found is None:
            return
        fresh, action = found
        _close(fresh, State.REFUSED, message or reason)
        if reason == "unreachable":
            message = _("The system that does this could not be reached, so nothing was done. A person will help.")
        message = message or _("This could not be done.")
        if fresh.kind == PERFORM:
            actions.fail(action, reason, message)
        else:
            actions.settle(action, Action.State.DONE, receipt=_told(action) | {"message": message})
        if fresh.approved_by or reason == "unreachable":
            actions.before_a_person(action, promises_reply=True)


def _for_staff(effect: Effect) -> None:
    """More than a click may move: nothing was sent, and the intent is taken back until a person has decided."""
    with held(effect) as found:
        if found is not None:
            found[0].delete()
            actions.await_staff(found[1])


def _give_up(effect: Effect, error: str) -> None:
    """To a person, with the facts; the customer hears so."""
    with held(effect) as found:
        if found is None:
            return
        fresh, action = found
        _close(fresh, State.GIVEN_UP, error)
        message = _("We could not find out yet whether this was done. A person is looking into it and tells you here.")
        actions.settle(action, Action.State(action.state), receipt=action.receipt | {"message": message})
        actions.before_a_person(action, promises_reply=False)  # their decision is told on the card


def _told(action: Action) -> dict[str, Any]:
    """What the receipt said before it was to be taken back."""
    return {**action.receipt, "message": action.undo_data.get("told", "")}


def effect_decide(*, effect_id: UUID, staff: User, verdict: str, reference: str = "") -> Effect:
    """Staff have found out: it was `done` (under a reference of the other system), `not_done`, or is to be sent `again`
    under its key. Audited. Raises NotAllowed, NotFound, or Conflict when somebody has settled it already."""
    require_role(staff, *actions.APPROVERS)
    effect = Effect.objects.select_related("action").filter(pk=effect_id).first()
    if effect is None or verdict not in VERDICTS:
        raise NotFound("There is no such change.")
    with held(effect) as found:
        if found is None or found[0].state != State.GIVEN_UP:
            raise Conflict("Somebody has already decided this.")
        fresh, action = found
        reference = reference.replace("\x00", "").strip()[:80]
        VERDICTS[verdict](fresh, action, staff, reference)
        changes = {"state": ("given_up", fresh.state), "reference": ("", reference)}
        audit(actor=staff, action="effect.decide", obj=action, changes=changes)
        escalation_decided(conversation=action.conversation, staff=staff)
    return fresh


def _it_was_done(effect: Effect, action: Action, staff: User, reference: str) -> None:
    _close(effect, State.DONE)
    if effect.kind == PERFORM:
        told = {"message": _("This is done.")} | ({"reference": reference} if reference else {})
        actions.succeed(action, Receipt(told), staff)
    else:
        actions.settle(action, Action.State.UNDONE, staff=staff, receipt=_told(action))


def _it_was_not_done(effect: Effect, action: Action, staff: User, _reference: str) -> None:
    _close(effect, State.REFUSED, "Not done, as staff found out.")
    message = _("After a look at it: this was not done.")
    if effect.kind == PERFORM:
        actions.fail(action, "not_done", message, staff)
    else:
        actions.settle(action, Action.State.DONE, staff=staff, receipt=_told(action) | {"message": message})


def _send_again(effect: Effect, action: Action, staff: User, _reference: str) -> None:
    now = timezone.now()
    effect.state, effect.next_at, effect.deadline_at = State.INTENDED, now, now + TRIED_FOR
    effect.questions += 1  # whoever still holds an older try has no say any more
    effect.save(update_fields=["state", "next_at", "deadline_at", "questions"])
    receipt = action.receipt | {"message": _("We are carrying this out now.")}
    actions.settle(action, Action.State(action.state), staff=staff, receipt=receipt)
    send_soon(effect)


VERDICTS: dict[str, Callable[[Effect, Action, User, str], None]] = {
    "done": _it_was_done,
    "not_done": _it_was_not_done,
    "again": _send_again,
}
