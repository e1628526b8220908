"""Actions: the assistant proposes, the customer's own click executes, once.

    proposed ─click→ done | failed | awaiting_staff ─approval→ done | failed | declined
             ─click→ confirmed ─another system→ done | failed | awaiting_staff     (services.effects)
             ─no→ declined      ─time→ expired ─renewed→ another, proposed       done ─undo→ undone

The conversation's row is locked first, then the action's: whoever comes second finds the state changed and does
nothing. The executor's row points back at its action by a unique column, which holds even without these locks.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from tickets import hooks, jobs
from tickets.access import require_role
from tickets.errors import Conflict, DeskError, Expired, NotFound
from tickets.events import event_append
from tickets.languages import speaking
from tickets.models import Action, Conversation, Customer, EscalationReason, Role, User
from tickets.policy import POLICY
from tickets.queue import enqueue
from tickets.services import effects, executors
from tickets.services.action_promises import action_promised
from tickets.services.audit import audit
from tickets.services.conversations import lock
from tickets.services.escalations import escalation_decided, escalation_open
from tickets.services.refunds import ApprovalNeeded

log = logging.getLogger(__name__)
Json = dict[str, Any]
State = Action.State
OPEN_STATES = (State.PROPOSED, State.AWAITING_STAFF, State.CONFIRMED)
APPROVERS = (Role.AGENT, Role.LEAD, Role.ADMIN)
MAX_RENEWALS = 3


def action_payload(action: Action) -> Json:
    """The contract's action object, without its token."""
    payload: Json = {
        "id": str(action.pk),
        "tool": action.tool,
        "summary": action.summary,
        "arguments": action.arguments,
        "preview": action.preview,
        "state": str(action.state),
    }
    if action.state == State.PROPOSED:
        payload["expires_at"] = action.expires_at.isoformat()
    if action.state == State.DONE and action.undo_until is not None:
        payload["undo_until"] = action.undo_until.isoformat()
    if action.receipt:
        payload["receipt"] = action.receipt
    if action.state == State.EXPIRED and (renewed := _renewed_as(action)) is not None:
        payload["renewed_as"] = str(renewed)
    return payload


def action_token(
    *,
    action_id: UUID | str,
    conversation_id: UUID | str,
    customer_id: UUID | str,
    tool: str,
    arguments: Json,
    expires_at: datetime | str,
) -> str:
    """What a click must bring: bound to who, where, what exactly and until when. Pure; made when rendering, never
    stored. Ids and time are taken as objects or as the strings of an event's payload."""
    if isinstance(expires_at, str):
        expires_at = datetime.fromisoformat(expires_at)
    bound = [
        str(UUID(str(action_id))),
        str(UUID(str(conversation_id))),
        str(UUID(str(customer_id))),
        tool,
        hashlib.sha256(_canonical(arguments).encode()).hexdigest(),
        str(int(expires_at.timestamp() * 1_000_000)),
    ]
    return salted_hmac("tickets.action", json.dumps(bound), algorithm="sha256").hexdigest()


@transaction.atomic
def action_propose(
    *,
    conversation: Conversation,
    customer: Customer,
    turn_id: UUID | None,
    tool: str,
    arguments: Json,
    summary: str,
    preview: Json,
    idempotency_key: str,
    definition: str = "",
) -> Action:
    """Offer a mutation for the customer's click. The same key, or the same wish while one is open, gives the same
    action. Raises Conflict while a person is awaited or has the conversation, NotFound for another's customer."""
    locked = lock(conversation.pk)
    if (known := _known(conversation, tool, arguments, idempotency_key)) is not None:
        return known
    if locked.customer_id != customer.pk:
        raise NotFound(_("There is no such customer in this conversation."))
    if locked.status != Conversation.Status.AI:
        raise Conflict(_("A person is taking over, so nothing new is offered now."))
    action = Action.objects.create(
        conversation=conversation,
        customer=customer,
        turn_id=turn_id,
        idempotency_key=idempotency_key,
        tool=tool,
        definition=definition,
        arguments=arguments,
        summary=summary[:300],
        preview=preview,
        expires_at=timezone.now() + timedelta(minutes=POLICY.proposal_minutes),
    )
    event_append(conversation=conversation, type="action", payload={"action": action_payload(action)})
    return action


def action_decide(*, conversation: Conversation, action_id: UUID, token: str, approve: bool) -> Action:
    """The customer's click. A second click, or one that lost a race, gets the action as it stands.

    Raises NotFound for a foreign action, a wrong token or a customer no longer verified; Expired; Conflict when it was
    decided the other way. What the executor refuses ends as `failed`, with the reason in the receipt.
    """
    with transaction.atomic():
        action = _lock(conversation, action_id)
        if not constant_time_compare(token, token_of(action)):
            raise NotFound(_("There is no such offer."))
        if action.state == State.PROPOSED:
            _decide(action, approve)
        elif action.state != State.EXPIRED and approve == (action.state == State.DECLINED):
            raise Conflict(_("This was already decided."))
    if action.state == State.EXPIRED:  # raised outside, so that the state is kept
        raise Expired(_("This offer has expired. Ask again and we will make a new one."))
    return action


@transaction.atomic
def action_approve(*, action_id: UUID, staff: User, approve: bool, reason: str = "") -> Action:
    """A member of staff decides what is over a click's limit; the decision is audited.

    Raises NotAllowed, NotFound, or Conflict when somebody has decided already.
    """
    require_role(staff, *APPROVERS)
    found = Action.objects.select_related("conversation").filter(pk=action_id).first()
    if found is None:
        raise NotFound("There is no such action.")
    lock(found.conversation_id)
    locked = Action.objects.select_for_update(of=("self",), no_key=True)
    action = locked.select_related("conversation").get(pk=action_id)
    if action.state != State.AWAITING_STAFF:
        raise Conflict("Somebody has already decided this.")
    reason = reason.replace("\x00", "").strip()[:300]
    with speaking(action.conversation.locale):  # staff decide in English
        if approve:
            _execute(action, staff)
        else:
            message = reason or _("After a look at it, we cannot do this.")
            settle(action, State.DECLINED, staff=staff, receipt={"reason": "declined", "message": message})
    changes = {"state": ("awaiting_staff", action.state), "reason": ("", reason)}
    audit(actor=staff, action="action.approve" if approve else "action.decline", obj=action, changes=changes)
    if action.state != State.FAILED:  # what was approved and could not be done needs a person still
        escalation_decided(conversation=action.conversation, staff=staff)
    return action


@transaction.atomic
def action_undo(*, conversation: Conversation, action_id: UUID) -> Action:
    """Take a done action back within its window; a second undo does nothing. In another system it is taken back after
    this, and the action stays `done` until then.

    Raises NotFound, Expired after the window, Conflict when the domain has moved on.
    """
    action = _lock(conversation, action_id)
    if action.state == State.UNDONE or effects.is_being_undone(action):
        return action
    if action.state != State.DONE or action.undo_until is None:
        raise Conflict(_("This cannot be undone here. A person can help."))
    if action.undo_until <= timezone.now():
        raise Expired(_("The time to undo this is over. A person can help."))
    if effects.performer_of(action.tool) is not None:
        effects.intend(action, kind=effects.UNDO)
        action.undo_until = None  # asked for once
        action.undo_data = action.undo_data | {"told": action.receipt.get("message", "")}
        settle(action, State.DONE, receipt=action.receipt | {"message": _("We are taking this back now.")})
    else:
        executors.undo(action, key=effects.key_of(action, effects.UNDO))
        settle(action, State.UNDONE, receipt=action.receipt)
    return action


def action_renew(*, conversation: Conversation, action_id: UUID, propose: Callable[[Action, str], Action]) -> Action:
    """Offer an expired proposal anew, with the very same arguments; `propose` asks policy and makes it, under the key
    it is given, with no transaction open when it asks another system. The old one stays expired. Asked twice it is the
    same new one.

    Raises NotFound for a foreign action or a customer no longer verified, Conflict when there is nothing to renew or
    it was renewed MAX_RENEWALS times, and whatever `propose` raises: then nothing is offered.
    """
    with transaction.atomic():
        old = _lock(conversation, action_id)
        if old.state == State.PROPOSED and old.expires_at <= timezone.now():
            settle(old, State.EXPIRED)
        if old.state != State.EXPIRED:
            raise Conflict(_("This is still open, or was decided already."))
        if (known := Action.objects.filter(idempotency_key=_renewal_key(old)).first()) is not None:
            return known
        if _renewals(old) >= MAX_RENEWALS:
            raise Conflict(_("This was offered several times. Write to us what you want, and we look at it afresh."))
        if effects.performer_of(old.tool) is None:
            return _renewed(old, propose)
    return _renewed(old, propose)


def _renewed(old: Action, propose: Callable[[Action, str], Action]) -> Action:
    new = propose(old, _renewal_key(old))
    if new.idempotency_key != _renewal_key(old):
        raise Conflict(_("The same is offered again further down."))
    with transaction.atomic():
        event_append(conversation=old.conversation, type="action", payload={"action": action_payload(old)})
    return new


def actions_expire(*, limit: int = 500) -> int:
    """Close proposals past their time; how many. Safe to run at any time, by several at once."""
    overdue = Action.objects.filter(state=State.PROPOSED, expires_at__lte=timezone.now())
    expired = 0
    for action_id, conversation_id in overdue.values_list("pk", "conversation_id")[:limit]:
        with transaction.atomic():
            lock(conversation_id)
            action = overdue.select_for_update(of=("self",), no_key=True).filter(pk=action_id).first()
            if action is not None:
                settle(action, State.EXPIRED)
                expired += 1
    return expired


def _decide(action: Action, approve: bool) -> None:
    if action.expires_at <= timezone.now():
        settle(action, State.EXPIRED)
    elif approve:
        _execute(action, None)
    else:
        settle(action, State.DECLINED)


def _execute(action: Action, staff: User | None) -> None:
    """Do it here and now, or write down that another system is to do it."""
    approved_by = staff.get_username() if staff else ""
    if effects.performer_of(action.tool) is not None:
        effects.intend(action, approved_by=approved_by)
        settle(action, State.CONFIRMED, staff=staff, receipt={"message": _("We are carrying this out now.")})
        return
    try:
        with transaction.atomic():  # a refusal must leave nothing behind
            key = effects.key_of(action, effects.PERFORM)
            receipt = executors.execute(action, key=key, approved_by=approved_by)
    except ApprovalNeeded:
        await_staff(action)
    except DeskError as error:
        fail(action, getattr(error, "reason", error.code), error.message, staff)
    except IntegrityError:
        log.exception("action_refused_by_database", extra={"action_id": str(action.pk)})
        fail(action, "conflict", _("Something changed meanwhile, so nothing was done. Please ask again."), staff)
    else:
        succeed(action, receipt, staff)


def await_staff(action: Action) -> None:
    """Over what a click may move: a person decides."""
    message = _("A person has to approve this. You will hear from us here.")
    settle(action, State.AWAITING_STAFF, receipt={"message": message})
    before_a_person(action, promises_reply=False)  # the decision is promised already


def before_a_person(action: Action, *, promises_reply: bool) -> None:
    """Escalate an action's conversation, unless a person has it already and sees the card."""
    if action.conversation.status != Conversation.Status.HUMAN:
        escalation_open(
            conversation=action.conversation,
            reason=EscalationReason.MONEY,
            summary=action.summary,
            team="billing",
            promises_reply=promises_reply,
        )


def succeed(action: Action, receipt: executors.Receipt, staff: User | None = None) -> None:
    action.undo_until, action.undo_data = receipt.undo_until, receipt.undo_data
    settle(action, State.DONE, staff=staff, receipt=receipt.receipt)
    if action.tool == "request_return" and "return_number" in action.undo_data:
        enqueue(jobs.mail_return_label, str(action.pk), queue="mail")


def fail(action: Action, reason: str, message: str, staff: User | None = None) -> None:
    action.error = message[:300]
    settle(action, State.FAILED, staff=staff, receipt={"reason": reason, "message": message})


def settle(action: Action, state: Action.State, *, staff: User | None = None, receipt: Json | None = None) -> None:
    """Write the state and tell everybody. The caller holds the conversation's lock and the action's."""
    action.state, action.decided_at, action.decided_by = state, timezone.now(), staff or action.decided_by
    action.receipt = receipt or {}
    action.save(update_fields=["state", "decided_at", "decided_by", "receipt", "undo_until", "undo_data", "error"])
    for hook in hooks.on_action_changed:
        hook(action)
    event_append(conversation=action.conversation, type="action", payload={"action": action_payload(action)})
    action_promised(action)


def _known(conversation: Conversation, tool: str, arguments: Json, idempotency_key: str) -> Action | None:
    found = Action.objects.filter(idempotency_key=idempotency_key).first()
    if found is not None:
        return found
    wish = _wish(arguments)
    for action in Action.objects.filter(conversation=conversation, tool=tool, state__in=OPEN_STATES):
        is_over = action.state == State.PROPOSED and action.expires_at <= timezone.now()
        # Its first reason stands: the token on the customer's screen is bound to it, another would make the card void.
        if not is_over and _wish(action.arguments) == wish:
            return action
    return None


def _wish(arguments: Json) -> str:
    """What would be done: the same thing asked for again in other words, or for another reason, is no second offer."""
    return _canonical({name: value for name, value in arguments.items() if name != "reason"})


def _renewal_key(action: Action) -> str:
    """The key of what follows an expired proposal: of which one it is, and how often it was renewed by then."""
    first = action.idempotency_key.split(":")[1] if _renewals(action) else action.pk
    return f"renewal:{first}:{_renewals(action) + 1}"


def _renewals(action: Action) -> int:
    kind, _, rest = action.idempotency_key.partition(":")
    return int(rest.rpartition(":")[2]) if kind == "renewal" else 0


def _renewed_as(action: Action) -> UUID | None:
    found = Action.objects.filter(idempotency_key=_renewal_key(action))
    return found.values_list("pk", flat=True).first()


def _lock(conversation: Conversation, action_id: UUID) -> Action:
    """The action, locked, of a conversation whose customer is verified at this moment."""
    locked = lock(conversation.pk)
    mine = Action.objects.filter(pk=action_id, conversation=locked)
    action = mine.select_for_update(no_key=True).first()
    is_verified = locked.identity != Conversation.Identity.NONE and locked.customer_id is not None
    if action is None or not is_verified or action.customer_id != locked.customer_id:
        raise NotFound(_("There is no such offer."))
    action.conversation = locked
    return action


def token_of(action: Action) -> str:
    """The token its owner's click must bring."""
    return action_token(
        action_id=action.pk,
        conversation_id=action.conversation_id,
        customer_id=action.customer_id,
        tool=action.tool,
        arguments=action.arguments,
        expires_at=action.expires_at,
    )


def _canonical(arguments: Json) -> str:
    return json.dumps(arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
