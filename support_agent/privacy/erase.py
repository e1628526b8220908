"""Erasing a person: conversation by conversation, then the rest, and last of all what they are found by.

Each stretch is one transaction. Whatever dies in between, the address still finds what is left: running it again, or
the sweep, goes on. Orders, invoices and refunds stay under a pseudonym, for tax law asks for them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from support_agent.models import Alert, Step, Task, ToolCall, Turn
from support_agent.models.limits import Spend
from support_agent.privacy import receipts
from support_agent.privacy.blank import ERASED
from support_agent.privacy.mentions import erase_mentions
from support_agent.privacy.outside import forget_in_redis
from support_agent.privacy.rows import (
    Counts,
    erase_audit_of,
    erase_conversation,
    erase_orders,
    erase_tickets,
)
from support_agent.privacy.subject import Subject, email_hash, known_addresses, subject_of
from support_agent.runtime.endings import LIVE_TASKS
from tickets.models import (
    AuditEntry,
    Conversation,
    Customer,
    DemoMail,
    ErasureRequest,
    ThreadLink,
    Ticket,
    User,
    Verification,
)
from tickets.services.audit import audit_values_erase

Json = dict[str, Any]
LATE = timedelta(days=1)
NOWHERE = "erased.invalid"  # a domain that can never receive mail (RFC 2606)


class NobodyFound(Exception):
    """We hold nothing of this address."""


def erase(email: str, *, until: datetime | None = None, request_id: Any = None) -> ErasureRequest:
    """Erase everything of an address; what a crash left undone is gone on with. Raises NobodyFound.

    With `until`, only what was there by then: for an erasure taken up again after a restore.
    """
    subject = subject_of(email, until=until)
    request = _open_request(email, subject, request_id)
    for step in _steps(subject, request):
        with transaction.atomic():
            _count(request, step())
    _count(request, Counts(redis=forget_in_redis(_needles(subject))))
    request.state, request.done_at = ErasureRequest.State.DONE, timezone.now()
    request.save(update_fields=["state", "done_at"])
    receipts.keep(request)
    return request


@transaction.atomic
def erase_rehearsed(email: str) -> ErasureRequest:
    """The same with the same counts, and then undone: nothing is written, published or deleted. Raises NobodyFound."""
    subject = subject_of(email)
    request = _open_request(email, subject, None)
    for step in _steps(subject, request):
        _count(request, step())
    _count(request, Counts(redis=forget_in_redis(_needles(subject), dry_run=True)))
    transaction.set_rollback(True)
    return request


def erasures_resume() -> int:
    """Go on with what a crash left half done, and with receipts that a restored backup knows nothing of; how many."""
    _drop_late_words()
    unfinished = list(ErasureRequest.objects.filter(state=ErasureRequest.State.RUNNING))
    lost = receipts.unknown_to_the_database()
    if not unfinished and not lost:
        return 0
    by_hash = {email_hash(address): address for address in known_addresses()}
    for request in unfinished:
        _again(by_hash.get(request.email_hash), request.pk, None)
    return len(unfinished) + receipts_apply(lost, by_hash)


def _drop_late_words() -> None:
    """A runner whose turn an erasure ended still writes its last call down: the cost stays, the words do not."""
    lately = timezone.now() - LATE
    turns = Turn.objects.filter(created_at__gt=lately, stop_requested="erased")
    Step.objects.filter(turn__in=turns).exclude(input={}, output={}, error="").update(input={}, output={}, error="")
    ToolCall.objects.filter(turn__in=turns).exclude(arguments={}, result={}).update(arguments={}, result={})


def receipts_apply(found: list[Json], by_hash: dict[str, str] | None = None) -> int:
    """Erase again what these receipts say was erased, as far as it is back; how many of them."""
    if by_hash is None:
        by_hash = {email_hash(address): address for address in known_addresses()}
    for receipt in found:
        receipts.restore(receipt)
        until = datetime.fromisoformat(receipt["done_at"])
        _again(by_hash.get(receipt["email_hash"]), receipt["id"], until)
    return len(found)


def _again(email: str | None, request_id: Any, until: datetime | None) -> None:
    """Erase if the address is still, or again, known; else there is nothing left to do."""
    try:
        if email is not None:
            erase(email, until=until, request_id=request_id)
            return
    except NobodyFound:
        pass
    request = ErasureRequest.objects.get(pk=request_id)
    request.state, request.done_at = ErasureRequest.State.DONE, request.done_at or timezone.now()
    request.save(update_fields=["state", "done_at"])
    receipts.keep(request)


def _open_request(email: str, subject: Subject, request_id: Any) -> ErasureRequest:
    """The one that a crash left running, or a new one. Raises NobodyFound."""
    hashed = email_hash(email)
    waiting = Q(pk=request_id) if request_id else Q(email_hash=hashed, state=ErasureRequest.State.RUNNING)
    known = ErasureRequest.objects.filter(waiting).first()
    if not subject and not _is_left_somewhere(subject.email):
        raise NobodyFound
    return known or ErasureRequest.objects.create(email_hash=hashed, pseudonym=secrets.token_hex(5))


def _is_left_somewhere(email: str) -> bool:
    """Without anything of their own: in a mail, a code, another's contact."""
    places = (
        DemoMail.objects.filter(to__icontains=email),
        Verification.objects.filter(email__iexact=email),
        ThreadLink.objects.filter(email__iexact=email),
        Conversation.objects.filter(contact_email__iexact=email),
        Ticket.objects.filter(contact_email__iexact=email),
    )
    return any(rows.exists() for rows in places)


def _steps(subject: Subject, request: ErasureRequest) -> list[Callable[[], Counts]]:
    """One transaction each. They are found by what only the last one takes away."""
    steps: list[Callable[[], Counts]] = [partial(_shut_out, subject)]
    steps += [partial(erase_conversation, found) for found in subject.conversations]
    if subject.tickets:
        steps.append(partial(erase_tickets, subject.tickets))
    if subject.customer is not None:
        steps.append(partial(erase_orders, subject.customer.pk))
    return [*steps, partial(_mails, subject), partial(_elsewhere, subject), partial(_names, subject, request)]


def _shut_out(subject: Subject) -> Counts:
    """Nobody signs in or goes on meanwhile; what was open closes."""
    if subject.customer is not None:
        Customer.objects.filter(pk=subject.customer.pk).update(status=Customer.Status.CLOSED)
    if subject.user is not None:
        subject.user.is_active = False
        subject.user.save(update_fields=["is_active"])  # its open sockets look again
    asked = Task.objects.filter(Q(customer=subject.customer) if subject.customer else Q(pk=None))
    (asked | Task.objects.filter(about__in=subject.conversations)).filter(state__in=LIVE_TASKS).update(
        state=Task.State.STOPPED
    )
    theirs = {str(found) for found in subject.conversations}
    user_id = str(subject.user.pk) if subject.user else None
    keys = []
    for session in Session.objects.iterator(chunk_size=1000):
        held = session.get_decoded()
        if (user_id and held.get("_auth_user_id") == user_id) or theirs & set(held.get("conversations", ())):
            keys.append(session.pk)
    return Counts(django_session=Session.objects.filter(pk__in=keys).delete()[0])


def _mails(subject: Subject) -> Counts:
    """What was mailed to them, and to staff about them."""
    about = Q(to__icontains=subject.email) | Q(body__icontains=subject.email) | Q(subject__icontains=subject.email)
    named = Conversation.objects.filter(pk__in=subject.conversations).values_list("pk", "reference")
    for pk, reference in named:
        about |= Q(body__contains=str(pk)) | Q(subject__contains=reference)
    return Counts(tickets_demomail=DemoMail.objects.filter(about).delete()[0])


def _elsewhere(subject: Subject) -> Counts:
    """Rows of nobody in particular, and of others, that say something of them."""
    counts: Counts = Counts()
    mine = Q(pk__in=subject.conversations)
    held = Conversation.objects.filter(mine).exclude(address_hash="").values_list("address_hash", flat=True)
    hashes = set(held.order_by())
    counts["support_agent_spend"] = Spend.objects.filter(scope="address", key__in=hashes).delete()[0]
    for hashed in hashes:
        counts["support_agent_alert"] += Alert.objects.filter(key__contains=hashed).delete()[0]
    counts += erase_mentions([*_needles(subject), *hashes])
    said = Q()
    for needle in _needles(subject):
        said |= Q(values__before__icontains=needle) | Q(values__after__icontains=needle)
    counts["tickets_auditvalue"] = audit_values_erase(AuditEntry.objects.filter(said))
    records = [subject.customer, subject.user]
    ids = [str(one.pk) for one in records if one] + [str(one) for one in [*subject.conversations, *subject.tickets]]
    logged = LogEntry.objects.filter(object_id__in=ids)
    counts["django_admin_log"] += logged.update(object_repr=ERASED, change_message="")
    return counts


def _names(subject: Subject, request: ErasureRequest) -> Counts:
    """The last step: what they are found by, all at once."""
    email, called = subject.email, f"erased-{request.pseudonym}"
    counts: Counts = Counts()
    counts["tickets_verification"] = Verification.objects.filter(email__iexact=email).delete()[0]
    counts["tickets_threadlink"] = ThreadLink.objects.filter(email__iexact=email).delete()[0]
    Ticket.objects.filter(contact_email__iexact=email).update(contact_email="")
    Conversation.objects.filter(pk__in=subject.conversations).update(address_hash="", contact_email="")
    counts["tickets_conversation"] = Conversation.objects.filter(contact_email__iexact=email).update(contact_email="")
    owners = [one.pk for one in (subject.customer, subject.user) if one is not None]
    counts["tickets_auditvalue"] = erase_audit_of(owners)
    if subject.customer is not None:
        counts["tickets_customer"] = Customer.objects.filter(pk=subject.customer.pk).update(
            email=f"{called}@{NOWHERE}", name=f"Erased customer {request.pseudonym}", phone="", shipping_address="",
            external_id=None, marketing_opt_in=False,
        )  # fmt: skip
    if subject.user is not None:
        counts["tickets_user"] = User.objects.filter(pk=subject.user.pk).update(
            username=called, email="", first_name="", last_name="", password="!", last_login=None  # noqa: S106
        )  # fmt: skip
    return counts


def _needles(subject: Subject) -> list[str]:
    """What names nobody else, wherever it stands."""
    customer = subject.customer
    found = [subject.email]
    if customer is not None:
        found += [customer.phone, customer.external_id or ""]
    return [needle for needle in found if len(needle) > 5]


def _count(request: ErasureRequest, counts: Counts) -> None:
    """Added to what an earlier try counted."""
    summed = Counts(request.counts)
    summed.update(counts)
    request.counts = {name: number for name, number in sorted(summed.items()) if number}
    ErasureRequest.objects.filter(pk=request.pk).update(counts=request.counts)
