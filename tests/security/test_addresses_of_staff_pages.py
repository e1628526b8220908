"""Values in addresses that no database takes: the page says nothing of them, and an export that breaks still ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.env import env
from support_agent.ops.exports import BROKE, csv_file, json_file
from support_agent.runtime import ratelimit
from tests.cast import Cast
from tickets.errors import Conflict, RateLimited
from tickets.models import Conversation, Promise
from tickets.services.conversations import conversation_close, conversation_create
from tickets.services.promises import promise_by_staff

pytestmark = pytest.mark.django_db
FAR = "2026-11-21T10:00:00%2B23:59"


@pytest.fixture
def lead(client: Client, cast: Cast) -> Client:
    client.force_login(cast.lead)
    return client


@pytest.mark.parametrize(
    "address",
    [
        f"/admin/traces/?since={FAR}",
        f"/admin/traces/export.csv?since={FAR}",
        f"/admin/traces/steps/export.json?until={FAR}",
        f"/admin/traces/?before={FAR}~00000000-0000-4000-8000-000000000000",
        "/admin/traces/?min_cost=1e-999999",
        "/admin/traces/export.csv?min_cost=1e-20000",
        "/admin/traces/steps/?page=" + "9" * 5000,
        f"/admin/ops/questions/tokens/?since={FAR}",
        f"/admin/ops/replays/?before={FAR}",
        "/admin/traces/?since=9999-12-31T23:59:59-23:59",
    ],
)
def test_what_cannot_be_read_is_as_good_as_not_given(lead: Client, address: str) -> None:
    answer = lead.get(address)
    assert answer.status_code == 200
    shown = answer.getvalue()
    assert BROKE.encode() not in shown


def test_an_export_that_breaks_ends_with_a_word() -> None:
    """Raised on, it would never end, and keep its database connection: sixteen such and nobody is served."""

    def rows() -> Iterator[list[str]]:
        yield ["one"]
        raise RuntimeError("the database went away")

    assert csv_file("x.csv", ["a"], rows()).getvalue() == f'"a"\r\n"one"\r\n"{BROKE}"\r\n'.encode()
    assert BROKE.encode() in json_file("x.json", rows()).getvalue()


def test_a_promise_is_made_within_a_year_by_who_has_the_conversation(cast: Cast) -> None:
    conversation, _ = conversation_create(channel=Conversation.Channel.CHAT, customer=cast.owner)
    soon = timezone.now() + timedelta(days=1)
    with pytest.raises(Conflict, match="within a year"):
        promise_by_staff(
            conversation=conversation, text="x", due_at=timezone.now() + timedelta(days=4000), staff=cast.agent
        )
    Conversation.objects.filter(pk=conversation.pk).update(status="human", assignee=cast.lead)
    with pytest.raises(Conflict, match="colleague"):
        promise_by_staff(conversation=conversation, text="x", due_at=soon, staff=cast.agent)
    assert promise_by_staff(conversation=conversation, text="x", due_at=soon, staff=cast.lead).state == "open"
    conversation_close(conversation=conversation, actor=cast.lead)
    with pytest.raises(Conflict, match="Nobody"):
        promise_by_staff(conversation=conversation, text="y", due_at=soon, staff=cast.lead)
    assert Promise.objects.count() == 1


def test_drafts_cost_money_and_are_asked_for_by_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "env", env.model_copy(update={"rate_limit_scale": 1.0}))
    for _ in range(ratelimit.RATES["assist"]):
        ratelimit.allow("assist", "one of staff, of this test alone")
    with pytest.raises(RateLimited):
        ratelimit.allow("assist", "one of staff, of this test alone")
