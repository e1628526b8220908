"""The e-mailed code: three tries, ten minutes, once, and the same to the eye whoever asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from tests.cast import Cast
from tickets import jobs
from tickets.errors import Conflict, Expired, RateLimited
from tickets.models import Conversation, Customer, Verification
from tickets.services.codes import code_of
from tickets.services.conversations import conversation_create
from tickets.services.identity import (
    attempts_left,
    mask_email,
    verification_again,
    verification_check,
    verification_start,
)

UNKNOWN = "nobody.known@example.com"


@pytest.fixture
def visit(cast: Cast) -> Conversation:
    conversation, _ = conversation_create(channel="chat")
    return conversation


def events(conversation: Conversation) -> list[dict[str, Any]]:
    return [event.payload for event in conversation.events.filter(type="verification").order_by("seq")]


def wrong(verification: Verification) -> str:
    return f"{(int(code_of(verification)) + 1) % 1_000_000:06d}"


def test_the_right_code_verifies(visit: Conversation, cast: Cast) -> None:
    verification = verification_start(conversation=visit, email=" Olivia.Owner@Example.com ")
    done = verification_check(conversation=visit, code=f" {code_of(verification)[:3]} {code_of(verification)[3:]} ")
    visit.refresh_from_db()
    assert (done.state, visit.customer, visit.identity) == ("verified", cast.owner, "code")
    assert [event["state"] for event in events(visit)] == ["requested", "verified"]
    assert events(visit)[0]["email_masked"] == "o•••@example.com"


def test_a_code_works_once(visit: Conversation, cast: Cast) -> None:
    code = code_of(verification_start(conversation=visit, email=cast.owner.email))
    verification_check(conversation=visit, code=code)
    with pytest.raises(Expired):
        verification_check(conversation=visit, code=code)


def test_three_tries(visit: Conversation, cast: Cast) -> None:
    verification = verification_start(conversation=visit, email=cast.owner.email)
    left = [attempts_left(verification_check(conversation=visit, code=wrong(verification))) for _ in range(3)]
    assert left == [2, 1, 0]
    with pytest.raises(Expired):
        verification_check(conversation=visit, code=code_of(verification))
    visit.refresh_from_db()
    assert visit.customer is None
    assert [event["state"] for event in events(visit)] == ["requested", "failed"]


def test_the_third_try_may_be_right(visit: Conversation, cast: Cast) -> None:
    verification = verification_start(conversation=visit, email=cast.owner.email)
    for _ in range(2):
        verification_check(conversation=visit, code=wrong(verification))
    assert verification_check(conversation=visit, code=code_of(verification)).state == "verified"


def test_ten_minutes(visit: Conversation, cast: Cast) -> None:
    verification = verification_start(conversation=visit, email=cast.owner.email)
    assert timedelta(minutes=9) < verification.expires_at - timezone.now() <= timedelta(minutes=10)
    Verification.objects.update(expires_at=timezone.now())
    assert verification_check(conversation=visit, code=code_of(verification)).state == "expired"
    visit.refresh_from_db()
    assert visit.customer is None


def test_a_new_code_replaces_the_open_one(visit: Conversation, cast: Cast) -> None:
    old = verification_start(conversation=visit, email=cast.owner.email)
    new = verification_start(conversation=visit, email=cast.owner.email)
    assert verification_check(conversation=visit, code=code_of(old)).state == "requested"
    assert verification_check(conversation=visit, code=code_of(new)).state == "verified"


def test_a_code_belongs_to_its_conversation(visit: Conversation, cast: Cast) -> None:
    code = code_of(verification_start(conversation=visit, email=cast.owner.email))
    elsewhere, _ = conversation_create(channel="chat")
    with pytest.raises(Expired):
        verification_check(conversation=elsewhere, code=code)


def test_a_stranger_meets_the_same_and_no_code_of_theirs_works(visit: Conversation, cast: Cast) -> None:
    known, _ = conversation_create(channel="chat")
    with CaptureQueriesContext(connection) as for_known:
        verification_start(conversation=known, email=cast.owner.email)
    with CaptureQueriesContext(connection) as for_unknown:
        verification = verification_start(conversation=visit, email=UNKNOWN)
    assert len(for_known) == len(for_unknown)
    told = [{**one, "expires_at": ""} for one in events(visit)]
    assert told == [{"state": "requested", "email_masked": mask_email(UNKNOWN), "expires_at": "", "attempts_left": 3}]
    assert verification_check(conversation=visit, code=code_of(verification)).state == "requested"


def test_a_closed_account_is_no_account(visit: Conversation, cast: Cast) -> None:
    Customer.objects.filter(pk=cast.owner.pk).update(status="closed")
    verification = verification_start(conversation=visit, email=cast.owner.email)
    assert verification_check(conversation=visit, code=code_of(verification)).state == "requested"


def test_the_code_is_stored_nowhere(visit: Conversation, cast: Cast) -> None:
    verification = verification_start(conversation=visit, email=cast.owner.email)
    row = Verification.objects.filter(pk=verification.pk).values("email", "code_hash", "state", "attempts").get()
    assert code_of(verification) not in f"{row}{events(visit)}"


@override_settings(RATE_LIMIT_SCALE=1)
@pytest.mark.parametrize(("same", "times"), [("conversation", 5), ("address", 10)])
def test_codes_are_limited_by_the_hour(visit: Conversation, cast: Cast, same: str, times: int) -> None:
    for number in range(times):
        conversation = visit if same == "conversation" else conversation_create(channel="chat")[0]
        email = cast.owner.email if same == "address" else f"p{number}@example.com"
        verification_start(conversation=conversation, email=email)
    with pytest.raises(RateLimited) as error:
        verification_start(conversation=visit, email=cast.owner.email)
    assert 3500 < error.value.retry_after <= 3601


def test_a_verified_conversation_stays_with_its_customer(visit: Conversation, cast: Cast) -> None:
    verification_check(conversation=visit, code=code_of(verification_start(conversation=visit, email=cast.owner.email)))
    for email in (cast.other.email, UNKNOWN):
        with pytest.raises(Conflict):
            verification_start(conversation=visit, email=email)


def test_the_assistant_sends_no_code_once_a_person_is_there(visit: Conversation, cast: Cast) -> None:
    Conversation.objects.filter(pk=visit.pk).update(status="human")
    with pytest.raises(Conflict):
        verification_start(conversation=visit, email=cast.owner.email, by_assistant=True)
    assert verification_start(conversation=visit, email=cast.owner.email).state == "requested"


def test_only_the_job_knows_whom_to_mail(visit: Conversation, cast: Cast, mailoutbox: list[Any]) -> None:
    jobs.mail_verification_code(str(verification_start(conversation=visit, email=UNKNOWN).pk))
    assert mailoutbox == []
    verification = verification_start(conversation=visit, email=cast.owner.email.upper())
    jobs.mail_verification_code(str(verification.pk))
    [mail] = mailoutbox
    assert mail.to == [cast.owner.email]
    assert mail.body.startswith(code_of(verification))
    assert code_of(verification) not in mail.subject
    Verification.objects.update(expires_at=timezone.now())
    jobs.mail_verification_code(str(verification.pk))
    assert len(mailoutbox) == 1


def test_a_code_is_taken_however_it_is_written(visit: Conversation, cast: Cast) -> None:
    code = code_of(verification_start(conversation=visit, email=cast.owner.email))
    written = f" {code[:3]} - {code[3:]}\n".translate({ord(str(n)): chr(0x0660 + n) for n in range(10)})
    assert verification_check(conversation=visit, code=written).state == "verified"


def test_a_slip_of_the_hand_is_no_try(visit: Conversation, cast: Cast) -> None:
    verification_start(conversation=visit, email=cast.owner.email)
    for slip in ("12345", "1234567", "hello"):
        with pytest.raises(Conflict, match="six digits"):
            verification_check(conversation=visit, code=slip)
    assert Verification.objects.get().attempts == 0


def test_another_code_goes_to_the_same_address_and_voids_the_first(visit: Conversation, cast: Cast) -> None:
    with pytest.raises(Expired):
        verification_again(conversation=visit)
    first = verification_start(conversation=visit, email=cast.owner.email)
    second = verification_again(conversation=visit)
    assert (second.email, second.customer_id) == (first.email, cast.owner.pk)
    first.refresh_from_db()
    assert first.state == "expired"


def test_another_code_for_a_stranger_does_the_same_work(visit: Conversation, cast: Cast) -> None:
    known, _ = conversation_create(channel="chat")
    verification_start(conversation=known, email=cast.owner.email)
    verification_start(conversation=visit, email=UNKNOWN)
    counts = []
    for conversation in (known, visit):
        with CaptureQueriesContext(connection) as queries:
            verification_again(conversation=conversation)
        counts.append(len(queries))
    assert counts[0] == counts[1]
