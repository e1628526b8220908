"""Promises: what the assistant or staff said we would do, by when. Made once, chased, and settled in sight.

open ─done→ kept     ─time→ missed ─done, late→ kept     ─no longer needed→ withdrawn
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from tickets import hours
from tickets.access import may_act_for
from tickets.errors import Conflict, Empty
from tickets.events import event_append
from tickets.languages import Words, speaking
from tickets.models import Conversation, Promise, User
from tickets.publishing import publish_inbox
from tickets.services.audit import audit
from tickets.services.locking import lock

State, Kind = Promise.State, Promise.Kind
MAX_TEXT = 300
FURTHEST = timedelta(days=366)
REPLY = "reply"  # what a promise that a person answers is about
REPLY_TEXT = gettext_lazy("A person from our team answers you here.")
NEXT = {State.OPEN: {State.KEPT, State.MISSED, State.WITHDRAWN}, State.MISSED: {State.KEPT, State.WITHDRAWN}}


def promise_payload(promise: Promise) -> dict[str, Any]:
    """The contract's promise object, its kind besides; a settled one also says when."""
    payload = {
        "kind": str(promise.kind),
        "id": str(promise.pk),
        "text": promise.text,
        "due_at": promise.due_at.isoformat(),
        "state": str(promise.state),
    }
    if promise.settled_at is not None:
        payload["settled_at"] = promise.settled_at.isoformat()
    return payload


@transaction.atomic
def promise_by_staff(*, conversation: Conversation, text: str, due_at: datetime, staff: User) -> Promise:
    """Somebody of staff commits us, where they may speak: as promise_make. Raises Conflict where they may not."""
    locked = lock(conversation.pk)
    if locked.channel == Conversation.Channel.TASK or locked.status == Conversation.Status.CLOSED:
        raise Conflict("Nobody is there to be promised anything.")
    if not may_act_for(locked, staff):
        raise Conflict("A colleague has this conversation.")
    return promise_make(conversation=conversation, text=text, due_at=due_at, made_by=staff)


@transaction.atomic
def promise_make(
    *,
    conversation: Conversation,
    text: Words,
    due_at: datetime,
    kind: str = Kind.OTHER,
    made_by: User | None = None,
    about: str = "",
) -> Promise:
    """Commit to something by a time, shown to the customer. The same thing again gives the promise that stands.

    `about` names the thing ("reply", "action:<id>"); without one the same words on the same day are the same thing.
    Raises Empty, or Conflict for a time that has passed or is over a year away.
    """
    with speaking(conversation.locale):  # a text of ours may still be in no language
        text = " ".join(str(text).replace("\x00", "").split())[:MAX_TEXT]
    if not text:
        raise Empty
    if not timezone.now() < due_at <= timezone.now() + FURTHEST:
        raise Conflict("A promise needs a time that is still to come, within a year.")
    lock(conversation.pk)
    about = about or (REPLY if kind == Kind.REPLY else "")
    if (known := _standing(conversation, text, due_at, about)) is not None:
        return known
    promise = Promise.objects.create(
        conversation=conversation, text=text, due_at=due_at, kind=kind, made_by=made_by, about=about
    )
    _announce(promise, conversation)
    if made_by is not None:
        audit(actor=made_by, action="promise.make", obj=promise, changes={"text": ("", text), "due_at": ("", due_at)})
    return promise


@transaction.atomic
def promise_settle(*, promise: Promise, state: str, actor: User | None = None) -> Promise:
    """Kept, missed or withdrawn; the same state again changes nothing. A deed of staff is audited.

    Raises Conflict for a state that cannot follow.
    """
    conversation = lock(promise.conversation_id)
    locked = Promise.objects.select_for_update(no_key=True).get(pk=promise.pk)
    wanted, before = State(state), State(locked.state)
    if wanted == before:
        return locked
    if wanted not in NEXT.get(before, set()):
        raise Conflict(f"This promise is {before.label.lower()} already.")
    locked.state, locked.settled_at = wanted, timezone.now()
    locked.save(update_fields=["state", "settled_at"])
    _announce(locked, conversation)
    if actor is not None:
        audit(actor=actor, action="promise.settle", obj=locked, changes={"state": (before.value, wanted.value)})
    return locked


@transaction.atomic
def promises_settle(*, conversation: Conversation, about: str, state: str) -> None:
    """Settle what still stands about one thing, what was missed too; nothing, when there is nothing."""
    lock(conversation.pk)
    for promise in Promise.objects.filter(conversation=conversation, about=about, state__in=list(NEXT)):
        promise_settle(promise=promise, state=state)


def promises_keep_replies(*, conversation: Conversation) -> None:
    """A person answered: the promise that one would is kept, in time or late."""
    promises_settle(conversation=conversation, about=REPLY, state=State.KEPT)


def spoken(text: str) -> str:
    """The words alone: neither capitals nor marks make another promise."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def _standing(conversation: Conversation, text: str, due_at: datetime, about: str) -> Promise | None:
    """The open promise of the same thing."""
    standing = Promise.objects.filter(conversation=conversation, state=State.OPEN)
    if about:
        return standing.filter(about=about).first()
    said = spoken(text)
    day = due_at.astimezone(hours.zone()).date()
    same_day = (found for found in standing.filter(about="") if found.due_at.astimezone(hours.zone()).date() == day)
    return next((found for found in same_day if spoken(found.text) == said), None)


def _announce(promise: Promise, conversation: Conversation) -> None:
    event_append(conversation=conversation, type="promise", payload={"promise": promise_payload(promise)})
    publish_inbox(conversation.pk, "promise")
