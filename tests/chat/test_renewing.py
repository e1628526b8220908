"""Offered again, asked again: by the owner's socket and by the API, seldom enough, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.runtime import ratelimit
from tests.cast import Cast
from tests.chat.conftest import Line, begin
from tests.chat.test_socket_actions import propose
from tickets.db import in_db
from tickets.models import Action, Feedback, Survey, Verification
from tickets.services.actions import actions_expire
from tickets.services.conversations import conversation_close, conversation_create
from tickets.services.messages import message_assistant

Json = dict[str, Any]
Lines = Callable[..., Line]


def run_out() -> None:
    Action.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    actions_expire()


async def test_one_press_brings_the_same_anew(people: Cast, lines: Lines) -> None:
    conversation, token = await begin(people.owner)
    old = await propose(people, conversation)
    await in_db(run_out)
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("action")
    assert (await line.until("action"))["action"]["state"] == "expired"
    await line.send(type="renew", action_id=old.pk)
    new = (await line.until("action"))["action"]
    assert (new["state"], new["arguments"]) == ("proposed", old.arguments)
    assert new["token"]
    assert (await line.until("action"))["action"]["renewed_as"] == new["id"]
    await line.send(type="confirm", action_id=new["id"], token=new["token"], approve=True)
    assert (await line.until("action"))["action"]["state"] == "done"


async def test_the_page_shows_where_it_is_offered_again(people: Cast, lines: Lines) -> None:
    conversation, token = await begin(people.owner)
    old = await propose(people, conversation)
    await in_db(run_out)
    line = lines(conversation.pk, token=token, origin=None, format="html", after=2)
    await line.open()
    await line.text()
    await line.send(type="renew", action_id=str(old.pk))
    card, gone = await line.text(), await line.text()
    new = re.search(r'id="action-([0-9a-f-]{36})"', card)
    assert new is not None
    assert 'data-state="proposed"' in card
    assert f'data-renewed-as="{new[1]}"' in gone
    assert 'value="renew"' not in gone
    assert "#spoken" not in gone


async def test_a_refusal_stands_at_the_card(people: Cast, lines: Lines) -> None:
    conversation, token = await begin(people.owner)
    old = await propose(people, conversation)
    line = lines(conversation.pk, token=token, origin=None, format="html", after=1)
    await line.open()
    await line.text()
    await line.send(type="renew", action_id=str(old.pk))
    assert f'hx-target="#error-{old.pk}"' in await line.text()


async def test_pressing_on_and_on_is_limited(people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ratelimit.RATES, "renewal", 0)  # whatever the scale, one a minute is left
    conversation, token = await begin(people.owner)
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    codes = []
    for _ in range(2):
        await line.send(type="renew", action_id=uuid4())
        codes.append((await line.frame())["code"])
    assert codes == ["not_found", "rate_limited"]


async def test_another_code_by_one_press(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None, format="html")
    await line.open()
    await line.text()
    await line.send(type="verify", email=people.owner.email)
    form = await line.text()
    assert 'autocomplete="one-time-code"' in form
    assert 'inputmode="numeric"' in form
    assert "three tries" in form
    assert "data-expires" in form
    await line.send(type="verify", again="true")
    assert "Enter the six-digit code" in await line.text()
    states = await in_db(lambda: list(Verification.objects.order_by("created_at").values_list("state", "email")))
    assert states == [("expired", people.owner.email), ("requested", people.owner.email)]


async def test_a_thumb_is_pressed_explained_and_turned(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    answer = await in_db(message_assistant, conversation=conversation, text="Hello.", turn_id=uuid4())
    line = lines(conversation.pk, token=token, origin=None, format="html", after=1)
    await line.open()
    await line.text()
    await line.send(type="feedback", message_id=answer.pk, helpful="false")
    asked = await line.text()
    assert 'value="false" aria-pressed="true"' in asked
    assert "What was wrong with it?" in asked
    await line.send(type="feedback", message_id=answer.pk, helpful="false", cause="unclear", reason="Which tent?")
    assert "Thank you" in await line.text()
    found = await in_db(Feedback.objects.get)
    assert (found.helpful, found.cause, found.reason) == (False, "unclear", "Which tent?")
    await line.send(type="feedback", message_id=answer.pk, helpful="true")
    assert 'value="true" aria-pressed="true"' in await line.text()
    assert (await in_db(Feedback.objects.get)).helpful


async def test_no_thanks_takes_the_survey_away(people: Cast, lines: Lines) -> None:
    conversation, token = await begin(people.owner)
    await in_db(conversation_close, conversation=conversation)
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    assert (await line.until("survey"))["state"] == "requested"
    await line.send(type="survey")
    assert (await line.until("error"))["code"] == "bad_frame"
    await line.send(type="survey", dismiss=True)
    assert (await line.until("survey"))["state"] == "dismissed"
    assert (await in_db(Survey.objects.get)).rating is None


@pytest.mark.django_db
def test_the_page_knows_a_thumb_after_a_reload(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner_user)
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    answer = message_assistant(conversation=conversation, text="Hello.", turn_id=uuid4())
    Feedback.objects.create(message=answer, helpful=True)
    assert 'value="true" aria-pressed="true"' in client.get("/").content.decode()


@pytest.mark.django_db
def test_the_api_renews_and_sends_again(cast: Cast, client: Client) -> None:
    conversation, token = conversation_create(channel="api", customer=cast.owner, identity="jwt", with_token=True)
    old = Action.objects.create(
        conversation=conversation, customer=cast.owner, idempotency_key="k", tool="cancel_order", summary="Cancel",
        arguments={"order_number": "AP-100002", "reason": "twice"}, state="expired", expires_at=timezone.now(),
    )  # fmt: skip
    bearer = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/conversations/{conversation.pk}"
    new = client.post(f"{path}/actions/{old.pk}/renew", headers=bearer)
    assert (new.status_code, new.json()["state"]) == (200, "proposed")
    assert client.post(f"{path}/actions/{uuid4()}/renew", headers=bearer).status_code == 404
    stranger, token = conversation_create(channel="api", with_token=True)
    bearer = {"Authorization": f"Bearer {token}"}

    def asked(data: Json) -> int:
        path = f"/api/v1/conversations/{stranger.pk}/verification"
        return client.post(path, data, headers=bearer, content_type="application/json").status_code

    assert [asked(data) for data in ({"again": True}, {"email": cast.owner.email}, {"again": True})] == [410, 202, 202]
