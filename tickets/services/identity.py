"""Proving who writes, by a code mailed to the address we know.

Whatever is typed, the same rows are read and written and the same job is queued: only the job, out of the visitor's
sight, knows whether there is anyone to mail.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import jobs
from tickets.backends import backend
from tickets.errors import Conflict, Expired
from tickets.events import event_append
from tickets.limits import check_hourly
from tickets.models import Conversation, Verification
from tickets.queue import enqueue
from tickets.selectors.customers import customer_by_email
from tickets.services.codes import DIGITS, code_hash, code_matches, code_of, digits
from tickets.services.conversations import conversation_identify, lock

State = Verification.State
TRIES = 3
VALID_FOR = timedelta(minutes=10)
STARTS_PER_CONVERSATION, STARTS_PER_ADDRESS = 5, 10  # an hour


def mask_email(email: str) -> str:
    """m•••@example.com: enough to recognise one's own address."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"


def attempts_left(verification: Verification) -> int:
    return TRIES - verification.attempts if verification.state == State.REQUESTED else 0


@transaction.atomic
def verification_start(*, conversation: Conversation, email: str, by_assistant: bool = False) -> Verification:
    """Open a code for this address, replacing an open one. The same answer and work whether or not it is known; with a
    remote backend only the job finds out, and the account is written into the verification then.

    Raises RateLimited, or Conflict when the conversation is verified already, a background task (nobody is there to
    type a code) or, for the assistant, a person's.
    """
    email = email.strip().lower()
    locked = lock(conversation.pk)
    if locked.customer_id is not None:
        raise Conflict(_("This conversation is already verified."))
    if locked.channel == Conversation.Channel.TASK:
        raise Conflict(_("Nobody could type a code here."))
    if by_assistant and locked.status == Conversation.Status.HUMAN:
        raise Conflict(_("A person has taken over."))
    # Whoever guesses: 15 tries an hour in a conversation, 30 at an address, of a million codes.
    check_hourly(Verification.objects.filter(conversation=locked), STARTS_PER_CONVERSATION)
    check_hourly(Verification.objects.filter(email=email), STARTS_PER_ADDRESS)
    Verification.objects.filter(conversation=locked, state=State.REQUESTED).update(state=State.EXPIRED)
    known = None if backend().is_remote else customer_by_email(email)
    verification = Verification(conversation=locked, email=email, customer=known, expires_at=timezone.now() + VALID_FOR)
    verification.code_hash = code_hash(verification, code_of(verification))
    verification.save(force_insert=True)
    _announce(verification)
    enqueue(jobs.mail_verification_code, str(verification.pk), queue="mail")
    return verification


@transaction.atomic
def verification_again(*, conversation: Conversation) -> Verification:
    """Another code to the address of the last one, with the same answer and work as for a first. Raises Expired when
    none was asked for in this conversation, and what `verification_start` raises."""
    last = Verification.objects.filter(conversation=conversation).order_by("-created_at").first()
    if last is None:
        raise Expired(_("There is no code to send again. Please enter your e-mail address."))
    return verification_start(conversation=conversation, email=last.email)


@transaction.atomic
def verification_check(*, conversation: Conversation, code: str) -> Verification:
    """Try a code: the answer's `state` is verified, requested (try again), failed or expired. Raises Expired when no
    code is open, Conflict for what cannot be a code. A code works once; the third wrong one closes it."""
    locked = lock(conversation.pk)
    verification = (
        Verification.objects.select_related("customer").filter(conversation=locked, state=State.REQUESTED).first()
    )
    if verification is None:
        raise Expired(_("There is no code to check. Please ask for a new one."))
    verification.conversation = locked
    if verification.expires_at <= timezone.now():
        return _end(verification, State.EXPIRED)
    typed = digits(code)
    if len(typed) != DIGITS:  # a slip of the hand is no try
        raise Conflict(_("A code has six digits. Please look again."))
    verification.attempts += 1
    matches = code_matches(verification, typed)
    if matches and verification.customer is not None:
        conversation_identify(conversation=locked, customer=verification.customer, identity=Conversation.Identity.CODE)
        conversation.refresh_from_db(fields=["customer", "identity", "verified_at", "contact_email"])
        return _end(verification, State.VERIFIED)
    if verification.attempts >= TRIES:
        return _end(verification, State.FAILED)
    verification.save(update_fields=["attempts"])
    return verification


def verifications_expire(*, limit: int = 500) -> int:
    """End the codes whose time is up, so that the form says so; how many."""
    late = Verification.objects.filter(state=State.REQUESTED, expires_at__lte=timezone.now())
    ended = 0
    for verification in late[:limit]:
        with transaction.atomic():
            verification.conversation = lock(verification.conversation_id)
            verification.refresh_from_db(fields=["state"])
            if verification.state == State.REQUESTED:
                _end(verification, State.EXPIRED)
                ended += 1
    return ended


def _end(verification: Verification, state: Verification.State) -> Verification:
    verification.state = state
    verification.save(update_fields=["attempts", "state"])
    _announce(verification)
    return verification


def _announce(verification: Verification) -> None:
    payload: dict[str, Any] = {"state": str(verification.state), "email_masked": mask_email(verification.email)}
    if verification.state == State.REQUESTED:
        payload |= {"expires_at": verification.expires_at.isoformat(), "attempts_left": attempts_left(verification)}
    event_append(conversation=verification.conversation, type="verification", payload=payload)
