"""Another system's customers: proven by a code to their address there, read through the tools and pages, never waited
for with a transaction open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support_agent.agent.toolkit import ToolContext, ToolError
from support_agent.chat.openers import openers_for
from support_agent.runtime.jobs import refresh_customer
from support_agent.runtime.renewals import renew
from support_agent.tools import ALL, placed
from tests.cast import make_cast
from tests.effects.conftest import Remote
from tickets import jobs
from tickets.ids import new_id
from tickets.models import Action, Customer, Verification
from tickets.selectors.returns import owner_of_return
from tickets.services.actions import actions_expire
from tickets.services.codes import code_of
from tickets.services.conversations import conversation_create
from tickets.services.customers import customer_identified
from tickets.services.identity import verification_check, verification_start

Json = dict[str, object]


def call(remote: Remote, tool: str, **arguments: object) -> Json:
    chosen = ALL[tool]
    context = ToolContext(
        conversation_id=remote.talk.conversation.pk,
        turn_id=new_id(),
        customer_id=remote.rita.pk,
        locale="en",
        idempotency_key=f"{tool}-{new_id()}",
    )
    return chosen.run(context, chosen.arguments.model_validate(arguments)).as_json()


@pytest.mark.django_db
def test_whose_label_it_is_is_found_without_reading_every_action() -> None:
    owner = make_cast().owner
    talk, _ = conversation_create(channel="chat", customer=owner, identity="session")
    common: Any = {
        "conversation": talk,
        "customer": owner,
        "tool": "request_return",
        "summary": "Return",
        "arguments": {},
    }
    now = timezone.now()
    Action.objects.bulk_create(
        Action(**common, idempotency_key=str(n), expires_at=now, state="done", receipt={"return_number": f"R-{n}"})
        for n in range(500)
    )
    with CaptureQueriesContext(connection) as asked:
        assert owner_of_return("R-700001") is None
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tickets_action")  # whatever other tests have left it to believe
        cursor.execute(f"EXPLAIN {asked[-1]['sql']}")
        assert "action_of_a_return" in str(cursor.fetchall())


def test_a_code_goes_to_an_address_that_only_the_other_system_knows(remote: Remote) -> None:
    Customer.objects.filter(pk=remote.rita.pk).update(external_id=None, email="rita.earlier@example.com")
    visit, _ = conversation_create(channel="chat")
    asked = verification_start(conversation=visit, email="Rita.Remote@example.com")
    assert asked.customer is None  # whatever is typed, the request asks nobody
    jobs.mail_verification_code(str(asked.pk))
    assert mail.outbox[-1].to == ["rita.remote@example.com"]
    made = Customer.objects.exclude(pk=remote.rita.pk).get(email="rita.remote@example.com")
    assert (made.external_id, made.name, made.plan) == ("c-7", "Rita Remote", "plus")
    done = verification_check(conversation=visit, code=code_of(Verification.objects.get(pk=asked.pk)))
    visit.refresh_from_db()
    assert (done.state, visit.customer) == ("verified", made)


def test_no_code_goes_to_who_is_closed_or_unknown_there_whatever_we_have(remote: Remote) -> None:
    assert remote.shop.account is not None
    remote.shop.account = replace(remote.shop.account, status="closed")
    for address in ("rita.remote@example.com", remote.cast.owner.email, "nobody@example.com"):
        visit, _ = conversation_create(channel="chat")
        asked = verification_start(conversation=visit, email=address)
        jobs.mail_verification_code(str(asked.pk))
        assert Verification.objects.get(pk=asked.pk).customer is None
    assert mail.outbox == []


def test_a_system_that_is_away_is_asked_again_by_the_job(remote: Remote) -> None:
    visit, _ = conversation_create(channel="chat")
    asked = verification_start(conversation=visit, email="rita.remote@example.com")
    remote.shop.is_away = True
    with pytest.raises(Exception, match="away"):
        jobs.mail_verification_code(str(asked.pk))
    remote.shop.is_away = False
    jobs.mail_verification_code(str(asked.pk))
    assert len(mail.outbox) == 1


def test_a_signed_identity_brings_the_account_with_it(remote: Remote) -> None:
    known = customer_identified(sub="c-7", email="rita.remote@example.com", name="Rita")
    assert known == remote.rita
    refresh_customer(str(known.pk))
    known.refresh_from_db()
    assert (known.plan, known.phone) == ("plus", "+1 503-555-0142")


def test_tools_read_and_offer_from_there(remote: Remote) -> None:
    assert {name for name, tool in ALL.items() if placed(tool).outside} == {
        "lookup_customer", "update_customer", "lookup_order", "track_shipment", "cancel_order",
        "report_delivery_problem", "request_return", "request_refund",
    }  # fmt: skip
    order = call(remote, "lookup_order", order_number="AP-700001")["order"]
    assert isinstance(order, dict)
    assert (order["status"], order["lines"][0]["sku"]) == ("delivered", "TNT-2P-GRN")
    account = call(remote, "lookup_customer", email="rita.remote@example.com")["customer"]
    assert isinstance(account, dict)
    assert account["plan"] == "plus"
    assert call(remote, "request_refund", order_number="AP-700001", amount="5.00", reason="x")["status"] == (
        "pending_confirmation"
    )
    assert call(remote, "lookup_order", order_number="AP-100001")["status"] == "not_found"  # ours, and not hers
    remote.shop.is_away = True
    with pytest.raises(ToolError) as failure:  # which the breaker counts
        call(remote, "track_shipment", order_number="AP-700001")
    assert failure.value.retryable


def test_an_expired_offer_is_renewed_without_a_transaction(remote: Remote) -> None:
    call(remote, "cancel_order", order_number="AP-700002", reason="x")
    remote.clock.step(31)
    actions_expire()
    again = renew(conversation=remote.talk.conversation, action_id=Action.objects.get().pk)
    assert again.state == "proposed"
    assert Action.objects.count() == 2


def test_the_chat_asks_about_her_orders_and_opens_without_them(remote: Remote) -> None:
    assert openers_for(remote.rita, ["a", "b", "c", "d"])[:2] == [
        "Where is my order AP-700002?",
        "How do I return something of order AP-700001?",
    ]
    remote.shop.is_away = True
    assert openers_for(remote.rita, ["a", "b", "c", "d"]) == ["a", "b", "c", "d"]


def test_her_label_is_shown_or_cannot_be_shown_just_now(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    action = remote.talk.do("request_return", order_number="AP-700001", skus=["TNT-2P-GRN"], reason="too small")
    remote.work()
    assert remote.state(action) == "done"
    number = action.receipt["return_number"]
    monkeypatch.undo()  # pages need a real clock
    user = remote.cast.owner_user
    Customer.objects.filter(user=user).update(user=None)
    Customer.objects.filter(pk=remote.rita.pk).update(user=user)
    client, address = Client(), f"/returns/{number}/label/"
    client.force_login(user)
    page = client.get(address)
    assert page.status_code == 200
    assert "1 × Two-person tent, forest green" in page.content.decode()
    other = Client()
    other.force_login(remote.cast.other_user)
    assert other.get(address).status_code == 404
    remote.shop.is_away = True
    assert client.get(address).status_code == 503
