"""Outgoing webhooks: told in the transaction, signed, tried again, paused, replayed, private."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from tests.cast import Cast
from tests.desk.conftest import Talk
from tests.desk.waiting import Clock
from tests.runtime.alerting import receiving
from tests.stack import ROOT
from tickets.models import AuditEntry, Job, Team, Ticket, Webhook, WebhookDelivery, WebhookEvent
from tickets.models.webhooks import SECRET_PREFIX, new_secret
from tickets.services.assignment import escalation_assign
from tickets.services.conversations import conversation_claim, conversation_close
from tickets.services.escalations import escalation_open
from tickets.services.queues import escalation_move
from tickets.services.tickets import ticket_create
from tickets.services.webhooks import PAUSES, deliver, deliveries_due, deliveries_replay, webhook_test

pytestmark = pytest.mark.django_db
Json = dict[str, Any]
ALL = list(WebhookEvent.values)
State = WebhookDelivery.State


@pytest.fixture(autouse=True)
def private(settings: Settings) -> None:
    settings.ALERT_WEBHOOK_PRIVATE = True  # the receiver is on this machine


def listening(url: str = "http://127.0.0.1:9/", **values: Any) -> Webhook:
    return Webhook.objects.create(**{"name": "shop", "url": url, "events": ALL, **values})


def bring() -> None:
    """What the worker does with what is due."""
    for delivery in WebhookDelivery.objects.filter(state=State.WAITING):
        deliver(str(delivery.pk))


def told() -> list[str]:
    return list(WebhookDelivery.objects.order_by("created_at").values_list("type", flat=True))


def ticket(cast: Cast) -> Ticket:
    return ticket_create(subject="Pole snapped", body="It broke.", category="product", customer=cast.owner)


def test_what_happens_at_the_desk_is_told_in_its_order(cast: Cast, talk: Talk) -> None:
    listening()
    ticket(cast)
    escalation_open(conversation=talk.conversation, reason="asked")
    conversation_claim(conversation_id=talk.conversation.pk, staff=cast.agent)
    conversation_close(conversation=talk.conversation, actor=cast.agent)
    assert told() == [
        "ticket.created",
        "escalation.opened",
        "escalation.claimed",
        "escalation.ended",
        "conversation.closed",
    ]
    claimed = WebhookDelivery.objects.get(type="escalation.claimed").payload["data"]["escalation"]
    assert (claimed["claimed_by"], claimed["conversation"]["reference"]) == ("agent", talk.conversation.reference)


def test_an_escalation_that_is_passed_on_is_told_each_time(cast: Cast, talk: Talk) -> None:
    escalation = escalation_open(conversation=talk.conversation, reason="asked", team="support")
    listening(events=["escalation.updated"])
    engineering = Team.objects.create(slug="engineering", name="Engineering")
    assert escalation_move(escalation_ids=[escalation.pk], team=engineering, actor=cast.lead) == 1
    conversation_claim(conversation_id=talk.conversation.pk, staff=cast.agent)
    for to in (cast.lead, None):  # to a colleague, and back to the queue
        assert escalation_assign(escalation_ids=[escalation.pk], to=to, actor=cast.lead) == 1
    sent = [row.payload["data"]["escalation"] for row in WebhookDelivery.objects.order_by("created_at")]
    assert [(row["status"], row["team"], row["claimed_by"]) for row in sent] == [
        ("waiting", "engineering", None),
        ("claimed", "engineering", "lead"),
        ("waiting", "engineering", None),
    ]


def test_a_secret_that_cannot_be_read_signs_nothing(cast: Cast, settings: Settings) -> None:
    with receiving() as receiver:
        listening(receiver.url)
        ticket(cast)
        settings.SECRET_KEY = "another-key-of-at-least-32-characters"
        bring()
    assert receiver.received == []
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, "SECRET_KEY has changed" in delivery.error) == (State.WAITING, True)


def test_a_ticket_changed_by_staff_is_told(cast: Cast, admin_of: Client) -> None:
    made = ticket(cast)
    listening()
    page = f"/admin/tickets/ticket/{made.pk}/change/"
    form = {"category": "product", "priority": "urgent", "status": "pending", "team": "", "assignee": ""}
    inline = {f"comments-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    assert admin_of.post(page, form | inline).status_code == 302
    (sent,) = WebhookDelivery.objects.all()
    now = sent.payload["data"]["ticket"]
    assert (sent.type, now["status"], now["priority"]) == ("ticket.updated", "pending", "urgent")


def test_what_is_rolled_back_is_never_told(cast: Cast) -> None:
    listening()
    with transaction.atomic():
        ticket(cast)
        transaction.set_rollback(True)
    assert told() == []


def documented() -> Callable[[Any, bytes, str], bool]:
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "webhooks.md").read_text(), re.DOTALL)
    assert found is not None
    names: Json = {}
    exec(found[1], names)
    return names["is_ours"]  # type: ignore[no-any-return]


def test_a_call_is_signed_and_the_documented_check_takes_it(cast: Cast) -> None:
    with receiving() as receiver:
        webhook = listening(receiver.url)
        ticket(cast)
        bring()
        [(headers, body)] = receiver.received
    is_ours = documented()
    assert is_ours(headers, body, webhook.secret)
    assert not is_ours(headers, body + b" ", webhook.secret)
    assert not is_ours(headers, body, new_secret())
    assert headers["webhook-id"] == str(WebhookDelivery.objects.get().event_id)
    assert json.loads(body)["type"] == "ticket.created"
    assert WebhookDelivery.objects.get().state == State.SENT


def test_nobody_is_named_unless_staff_allow_it(cast: Cast) -> None:
    listening()
    listening(name="archive", with_details=True)
    ticket(cast)
    plain, full = (WebhookDelivery.objects.get(webhook__name=name) for name in ("shop", "archive"))
    assert cast.owner.email not in json.dumps(plain.payload)
    assert "Pole snapped" not in json.dumps(plain.payload)
    assert full.payload["data"]["ticket"]["customer"]["email"] == cast.owner.email
    assert full.payload["data"]["ticket"]["subject"] == "Pole snapped"
    assert plain.event_id == full.event_id


def test_only_what_was_chosen_is_told_and_nothing_to_one_that_is_off(cast: Cast, talk: Talk) -> None:
    listening(events=["conversation.closed"])
    listening(name="off", is_active=False)
    ticket(cast)
    conversation_close(conversation=talk.conversation)
    assert told() == ["conversation.closed"]


def test_a_receiver_that_fails_is_asked_again_with_the_same_id(cast: Cast, clock: Clock) -> None:
    with receiving(500, 503, 204) as receiver:
        listening(receiver.url)
        ticket(cast)
        bring()
        bring()  # too early: nothing is sent
        assert len(receiver.received) == 1
        for pause in PAUSES[:2]:
            clock.step(pause.total_seconds() / 60 + 0.1)
            assert deliveries_due() == 1
            bring()
        ids = {headers["webhook-id"] for headers, _ in receiver.received}
    assert (len(receiver.received), len(ids)) == (3, 1)
    webhook = Webhook.objects.get()
    assert (WebhookDelivery.objects.get().state, webhook.failures, webhook.failing_since) == (State.SENT, 0, None)


def test_a_dead_receiver_costs_one_try_not_one_an_event(cast: Cast, clock: Clock) -> None:
    with receiving(500) as receiver:
        listening(receiver.url)
        for _ in range(5):
            ticket(cast)
        bring()
        assert len(receiver.received) == 1
        assert WebhookDelivery.objects.filter(state=State.WAITING).count() == 5


def test_it_is_given_up_after_a_day_and_replayed_by_hand(cast: Cast, clock: Clock) -> None:
    with receiving(*[500] * (len(PAUSES) + 1), 204) as receiver:
        listening(receiver.url)
        ticket(cast)
        for pause in (*PAUSES, timedelta(0)):
            bring()
            clock.step(pause.total_seconds() / 60 + 0.1)
        assert WebhookDelivery.objects.get().state == State.FAILED
        assert deliveries_due() == 0
        assert deliveries_replay(delivery_ids=[WebhookDelivery.objects.get().pk], staff=cast.ops) == 1
        bring()
        ids = {headers["webhook-id"] for headers, _ in receiver.received}
    assert (WebhookDelivery.objects.get().state, len(ids)) == (State.SENT, 1)
    assert AuditEntry.objects.filter(action="webhook.replay", actor=cast.ops).exists()


def test_a_receiver_that_says_gone_is_switched_off(cast: Cast) -> None:
    with receiving(410) as receiver:
        listening(receiver.url)
        ticket(cast)
        bring()
    assert not Webhook.objects.get().is_active
    assert WebhookDelivery.objects.get().state == State.FAILED
    assert AuditEntry.objects.filter(action="webhook.gone").exists()


def test_a_worker_that_died_in_the_middle_is_found_by_the_clock(cast: Cast, clock: Clock) -> None:
    listening()
    ticket(cast)
    Job.objects.all().delete()  # lost with its worker, after it had claimed the try
    WebhookDelivery.objects.update(attempts=1, due_at=clock.now + timedelta(minutes=1))
    assert deliveries_due() == 0
    clock.step(1.1)
    assert deliveries_due() == 1


def test_two_workers_send_it_once(cast: Cast) -> None:
    with receiving() as receiver:
        listening(receiver.url)
        ticket(cast)
        bring()
        deliver(str(WebhookDelivery.objects.get().pk))
    assert len(receiver.received) == 1


def test_a_test_goes_out_though_the_receiver_is_paused(cast: Cast, clock: Clock) -> None:
    with receiving() as receiver:
        webhook = listening(receiver.url, events=["ticket.created"], paused_until=clock.now + timedelta(hours=1))
        webhook_test(webhook=webhook, staff=cast.ops)
        bring()
    assert [json.loads(body)["type"] for _, body in receiver.received] == ["webhook.test"]


def test_it_does_not_go_into_our_own_network_unless_allowed(cast: Cast, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_PRIVATE = False
    with receiving() as receiver:
        listening(receiver.url)
        ticket(cast)
        bring()
    assert receiver.received == []
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, "own network" in delivery.error) == (State.FAILED, True)


class TestPages:
    def form(self, **values: Any) -> Json:
        return {"name": "shop", "url": "https://shop.example/hook", "secret": "", "events": ALL[:1], **values}

    def test_ops_add_one_and_its_secret_is_made_and_not_audited(self, cast: Cast, client: Client) -> None:
        client.force_login(cast.ops)
        assert client.post("/admin/tickets/webhook/add/", self.form()).status_code == 302
        webhook = Webhook.objects.get()
        assert webhook.secret.startswith(SECRET_PREFIX)
        assert webhook.secret in client.get(f"/admin/tickets/webhook/{webhook.pk}/change/").content.decode()
        values = AuditEntry.objects.get(action="webhook.add").values.values_list("after", flat=True)
        assert not any(webhook.secret in value or "/hook" in value for value in values)

    def test_what_is_deleted_in_the_list_is_in_the_audit(self, cast: Cast, client: Client) -> None:
        hooks = [listening(name=name) for name in ("shop", "archive")]
        client.force_login(cast.ops)
        chosen = {"action": "delete_selected", "_selected_action": [hook.pk for hook in hooks], "post": "yes"}
        assert client.post("/admin/tickets/webhook/", chosen).status_code == 302
        assert not Webhook.objects.exists()
        told = AuditEntry.objects.filter(action="webhook.delete", actor=cast.ops)
        assert {entry.object_id for entry in told} == {str(hook.pk) for hook in hooks}

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("url", "http://93.184.216.34/hook", "use https://"),
            ("url", "https://me:pass@shop.example/", "would end up in logs"),
            ("secret", "whsec_short", "at least 24 random bytes"),
            ("events", [], "This field is required"),
        ],
    )
    def test_what_cannot_work_is_refused_beside_its_field(
        self, cast: Cast, client: Client, field: str, value: Any, said: str
    ) -> None:
        client.force_login(cast.ops)
        answer = client.post("/admin/tickets/webhook/add/", self.form(**{field: value}))
        assert answer.status_code == 200
        assert said in answer.content.decode()
        assert not Webhook.objects.exists()

    def test_a_lead_sees_how_it_goes_but_neither_address_nor_secret(self, cast: Cast, client: Client) -> None:
        webhook = listening("https://shop.example/hidden-path", secret=new_secret())
        client.force_login(cast.lead)
        page = client.get(f"/admin/tickets/webhook/{webhook.pk}/change/").content.decode()
        assert "hidden-path" not in page
        assert webhook.secret not in page

    def test_an_agent_sees_none_of_it(self, cast: Cast, client: Client) -> None:
        client.force_login(cast.agent)
        assert client.get("/admin/tickets/webhook/").status_code == 403
        assert client.get("/admin/tickets/webhookdelivery/").status_code == 403

    def test_ops_send_again_from_the_list_and_a_lead_may_not(self, cast: Cast, client: Client) -> None:
        listening()
        ticket(cast)
        WebhookDelivery.objects.update(state=State.FAILED)
        chosen = {"action": "send_again", "_selected_action": [str(WebhookDelivery.objects.get().pk)]}
        client.force_login(cast.lead)
        client.post("/admin/tickets/webhookdelivery/", chosen)
        assert WebhookDelivery.objects.get().state == State.FAILED
        client.force_login(cast.ops)
        client.post("/admin/tickets/webhookdelivery/", chosen)
        assert WebhookDelivery.objects.get().state == State.WAITING


@pytest.fixture
def admin_of(cast: Cast, client: Client) -> Client:
    client.force_login(cast.lead)
    return client
