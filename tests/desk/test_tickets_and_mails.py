"""Tickets, surveys, the audit and the mails of the desk."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets import jobs
from tickets.errors import Conflict, NotFound, RateLimited
from tickets.mail import DemoMailBackend
from tickets.models import AuditEntry, AuditValue, DemoMail, Escalation, Return, Team, Ticket
from tickets.services.audit import audit
from tickets.services.conversations import conversation_create
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_assistant, message_post
from tickets.services.surveys import feedback_give, survey_answer, survey_request
from tickets.services.tickets import ticket_create

TICKET: dict[str, Any] = {"subject": "A question", "body": "About a thing", "category": "billing"}


def test_a_ticket_goes_to_its_team_once(cast: Cast) -> None:
    first = ticket_create(**TICKET, idempotency_key="k", contact_email="a@example.com")
    again = ticket_create(**{**TICKET, "subject": "Other words"}, idempotency_key="k")
    assert first.pk == again.pk
    assert (first.team, first.status, first.number[:2]) == (cast.team, "open", "T-")


def test_numbers_that_were_imported_are_skipped(cast: Cast) -> None:
    number = int(ticket_create(**TICKET).number[2:])
    Ticket.objects.create(number=f"T-{number + 1:05d}", **TICKET)
    assert ticket_create(**TICKET).number == f"T-{number + 2:05d}"


@override_settings(RATE_LIMIT_SCALE=1)
def test_a_stranger_leaves_five_tickets_an_hour(cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat")
    for _ in range(5):
        ticket_create(**TICKET, conversation=conversation)
    with pytest.raises(RateLimited):
        ticket_create(**TICKET, conversation=conversation)


def test_a_survey_is_asked_and_answered_once(talk: Talk) -> None:
    survey_request(conversation=talk.conversation)
    survey_request(conversation=talk.conversation)
    survey_answer(conversation=talk.conversation, rating=5, comment=" Quick! ")
    survey_answer(conversation=talk.conversation, rating=5, comment="Quick!")
    with pytest.raises(Conflict):
        survey_answer(conversation=talk.conversation, rating=1)
    events = talk.conversation.events.filter(type="survey").order_by("seq")
    assert [event.payload["state"] for event in events] == ["requested", "answered"]


@pytest.mark.parametrize("rating", [0, 6, -1])
def test_a_rating_is_one_to_five(talk: Talk, rating: int) -> None:
    with pytest.raises(Conflict):
        survey_answer(conversation=talk.conversation, rating=rating)


def test_a_thumb_is_for_an_answer_of_this_conversation(talk: Talk, cast: Cast) -> None:
    conversation = talk.conversation
    answer = message_assistant(conversation=conversation, text="Hello", turn_id=conversation.pk)
    question, _ = message_post(conversation=conversation, client_message_id=conversation.pk, text="Hi")
    feedback_give(conversation=conversation, message_id=answer.pk, helpful=True)
    changed = feedback_give(conversation=conversation, message_id=answer.pk, helpful=False, reason="Not quite")
    assert (changed.helpful, changed.reason) == (False, "Not quite")
    for conversation_, message in ((conversation, question), (Talk(cast.other).conversation, answer)):
        with pytest.raises(NotFound):
            feedback_give(conversation=conversation_, message_id=message.pk, helpful=True)


def test_the_audit_keeps_values_apart_and_unchangeable(cast: Cast) -> None:
    entry = audit(actor=cast.lead, action="order.note", obj=cast.paid, changes={"note": (None, "call first")})
    assert (entry.object_type, entry.fields) == ("tickets.order", ["note"])
    for change in (
        "UPDATE tickets_auditentry SET action = 'nothing'",
        "UPDATE tickets_auditvalue SET after = ''",
        "DELETE FROM tickets_auditvalue",
        "DELETE FROM tickets_auditentry",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert AuditValue.objects.get().after == "call first"


def test_erasure_empties_values_only(cast: Cast) -> None:
    audit(actor=cast.lead, action="order.note", obj=cast.paid, changes={"note": ("", "call first")})
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL tickets.erasure = 'on'")
    AuditValue.objects.update(after="")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.update(action="nothing")


def test_a_waiting_conversation_is_announced_to_its_team(talk: Talk, cast: Cast, mailoutbox: list[Any]) -> None:
    Team.objects.filter(pk=cast.team.pk).update(email="billing@alderandpine.example")
    escalation = escalation_open(
        conversation=talk.conversation, reason="asked", summary="card 4111 1111", team="billing"
    )
    jobs.announce_escalation(str(escalation.pk))
    [mail] = mailoutbox
    assert mail.to == ["billing@alderandpine.example"]
    assert talk.conversation.reference in mail.subject
    assert "4111" not in mail.body
    Escalation.objects.update(status="claimed")
    jobs.announce_escalation(str(escalation.pk))
    assert len(mailoutbox) == 1


def test_a_return_is_mailed_with_its_label(talk: Talk, mailoutbox: list[Any]) -> None:
    talk.do("request_return", order_number="AP-100001", skus=["TNT-2P-GRN"], reason="too small")
    parcel = Return.objects.get()
    jobs.mail_return_label(str(parcel.pk))
    [mail] = mailoutbox
    assert parcel.number in mail.subject
    assert "1 × Two-person tent" in mail.body
    assert "$4.90" in mail.body
    Return.objects.update(status="cancelled")
    jobs.mail_return_label(str(parcel.pk))
    assert len(mailoutbox) == 1


def test_the_demo_keeps_every_mail(db: None) -> None:
    mail = EmailMessage("Hello", "Body", "shop@example.com", ["a@example.com", "b@example.com"])
    assert DemoMailBackend().send_messages([mail]) == 1
    kept = DemoMail.objects.get()
    assert (kept.to, kept.sender, kept.subject, kept.body) == (
        "a@example.com, b@example.com",
        "shop@example.com",
        "Hello",
        "Body",
    )
