"""A button in the trace makes a case of a whole conversation: everything the customer did, nothing of who they are."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.test import Client

from support_agent.env import env
from support_agent.evals.marking import counted, doubts, marked
from support_agent.evals.run import model_named, run_case
from support_agent.evals.saved import parsed
from support_agent.models import EvalRun, SavedCase
from support_agent.runtime import ratelimit
from support_agent.runtime.submit import request_human
from tests.blast.conftest import Desk, desk
from tests.cast import Cast
from tests.replay.made import ended_turn
from tests.runtime.conftest import begin
from tickets.db import in_db
from tickets.models import Action, AuditEntry, Conversation
from tickets.services.actions import action_decide, token_of
from tickets.services.conversations import conversation_claim
from tickets.services.messages import message_post

__all__ = ["desk"]
CANARIES = {
    "Olivia": "hello, Olivia Owner here",
    "olivia.owner@example.com": "write to olivia.owner@example.com",
    "Fir Street 9": "",
    "max@": "or to max@example.net",
    "Maxwell": "my name is Maxwell Smart",
    "Beatrix": "my wife Beatrix ordered it",
    "Oscar": "it went to Oscar Other by mistake",
    "Gertrude": "Dear Gertrude Stone, thank you",
    "Maple": "I live at 9 Maple Grove Road, Eugene, OR 97401",
    "Hauptstra": "or at Hauptstraße 12, 10115 Berlin",
    "Lilas": "or 5 rue des Lilas, 75011 Paris",
    "Alcal": "or Calle de Alcalá 20, 28014 Madrid",
    "0188": "call +1 503 555 0188",
    "4111": "card 4111 1111 1111 1111",
    "DE89": "IBAN DE89 3704 0044 0532 0130 00",
    "AP-100001": "order AP-100001",
    "AP-200001": "not AP-200001",
    "AP-314159": "nor AP-314159",
    "1234567890": "parcel ALD1234567890",
    "INV-55512": "invoice INV-55512",
    "T-44321": "ticket T-44321",
}


@pytest.mark.django_db
def test_no_canary_is_left(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    said = [". ".join(filter(None, CANARIES.values())) + ".\nBertram Wells", "And {that} is all?"]
    first = ended_turn(cast.owner, said[0])
    ended_turn(cast.owner, said[1], conversation=first.conversation)
    trace = client.get(f"/admin/traces/{first.conversation_id}/").content.decode()
    assert "Make a case of this conversation" in trace
    assert trace.count("Make a case of this turn") == 2
    answer = client.post("/admin/ops/cases/save/", {"conversation": str(first.conversation_id)})
    made = SavedCase.objects.get()
    assert answer["Location"] == f"/admin/ops/cases/{made.pk}/"
    text = made.yaml.lower()
    left = [canary for canary in (*CANARIES, "Bertram", "10115", "75011", "28014", "97401") if canary.lower() in text]
    assert not left, made.yaml
    (case,) = yaml.safe_load(made.yaml)
    assert len(case["steps"]) == 2
    page = client.get(answer["Location"]).content.decode()
    assert "Read it before you lean on it." in page
    assert '<mark title="placeholders">{customer.name}</mark>' in page
    assert '<mark title="e-mail addresses">someone1@example.com</mark>' in page
    assert AuditEntry.objects.filter(action="savedcase.add", actor=cast.ops).exists()


async def test_clicks_sign_in_and_the_button_are_steps_and_it_runs(desk: Desk) -> None:
    talk = await in_db(begin, desk.cast.owner)
    await desk.ask("Please cancel AP-100002, I ordered it by mistake", talk=talk)
    await in_db(_confirm, talk)
    await desk.ask("thanks", talk=talk)
    await in_db(request_human, conversation=talk)
    made = await in_db(_saved, desk.cast, talk)
    (case,) = yaml.safe_load(made.yaml)
    assert case["steps"] == [
        "Please cancel {paid_order}, I ordered it by mistake", {"click": "confirm"}, "thanks", {"human": True},
    ]  # fmt: skip
    expect = case["expect"]
    assert (expect["outcome"], expect["reason"]) == ("escalated", "asked")
    assert expect["tools"][-1] == "cancel_order"
    assert expect["end"] == {
        "actions": ["cancel_order done"], "paid_order.status": "cancelled", "paid_order.refunded_total": "129.00",
        "refunds": 1,
    }  # fmt: skip
    await desk.closes()
    async with model_named() as model:
        result = await run_case(parsed(made.yaml, made.name), model, is_demo=True)
    assert result.status == "passed", result.failures


async def test_it_ends_where_a_person_took_over(desk: Desk) -> None:
    talk = await in_db(begin, desk.cast.owner)
    await desk.ask("Where is my order AP-100001?", talk=talk)
    await in_db(request_human, conversation=talk)
    await in_db(conversation_claim, conversation_id=talk.pk, staff=desk.cast.agent)
    await in_db(message_post, conversation=talk, client_message_id=talk.pk, text="Only for you, Agent")
    made = await in_db(_saved, desk.cast, talk)
    assert yaml.safe_load(made.yaml)[0]["steps"] == ["Where is my order {delivered_order}?", {"human": True}]


def _confirm(talk: Conversation) -> None:
    action = Action.objects.get(conversation=talk)
    action_decide(conversation=talk, action_id=action.pk, token=token_of(action), approve=True)


def _saved(cast: Cast, talk: Conversation) -> SavedCase:
    client = Client()
    client.force_login(cast.lead)
    assert client.post("/admin/ops/cases/save/", {"conversation": str(talk.pk)}).status_code == 302
    return SavedCase.objects.get()


@pytest.mark.django_db
def test_who_may_make_read_and_change_one(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = ended_turn(cast.owner)
    client.force_login(cast.agent)
    assert "Make a case" not in client.get(f"/admin/traces/{turn.conversation_id}/").content.decode()
    assert client.post("/admin/ops/cases/save/", {"conversation": str(turn.conversation_id)}).status_code == 403
    client.force_login(cast.lead)
    answer = client.post("/admin/ops/cases/save/", {"turn": str(turn.pk), "name": "mine"})
    made = SavedCase.objects.get()
    page = f"/admin/ops/cases/{made.pk}/"
    assert answer["Location"] == page
    wrong = client.post(page, {"yaml": made.yaml.replace("owner", "boss")})
    assert wrong.status_code == 422
    assert "customer: Input should be" in wrong.content.decode()
    assert SavedCase.objects.get().yaml == made.yaml
    assert client.post(page, {"yaml": made.yaml.replace("From life", "Out of life")}).status_code == 302
    assert "Out of life" in SavedCase.objects.get().yaml
    assert AuditEntry.objects.filter(action="savedcase.change", actor=cast.lead).exists()
    assert client.post(f"{page}run/").status_code == 302
    monkeypatch.setattr(ratelimit, "env", env.model_copy(update={"rate_limit_scale": 1.0}))
    answers = [client.post(f"{page}run/")["Location"] for _ in range(11)]  # ten a minute, as from the list of runs
    assert answers[-1] == page
    assert EvalRun.objects.filter(suite="mine").count() == 1 + sum(answer != page for answer in answers) < 12
    client.force_login(cast.agent)
    for method, path in (("get", page), ("post", page), ("post", f"{page}run/")):
        assert getattr(client, method)(path).status_code == 403


@pytest.mark.django_db
def test_what_nobody_said_is_no_case(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    talk = begin(cast.owner)
    answer = client.post("/admin/ops/cases/save/", {"conversation": str(talk.pk)}, follow=True)
    assert "This cannot be a case. The conversation has no message" in answer.content.decode()
    nobody = "00000000-0000-0000-0000-000000000000"
    assert client.post("/admin/ops/cases/save/", {"conversation": nobody}).status_code == 404


def test_what_was_taken_out_is_marked_counted_and_what_is_doubtful_named() -> None:
    text = (
        "- id: x\n  about: From life.\n  steps:\n  - I told Waldemar that {paid_order} went to someone1@example.com, "
        "not to someone2@example.com; see 12 345 678 9\n  expect:\n    outcome: escalated\n"
    )
    assert "".join(piece for piece, _ in marked(text)) == text
    assert counted(text) == [("placeholders", 1), ("e-mail addresses", 2)]
    found: Any = doubts(text)
    assert found == ["Waldemar", "12 345 678 9"]
