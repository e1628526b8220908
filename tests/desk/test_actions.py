"""Proposals and clicks: what counts as consent, what does not, and that nothing happens twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.runtime.submit import request_human
from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets import hooks
from tickets.errors import Conflict, Expired, NotAllowed, NotFound
from tickets.models import Action, AuditEntry, Conversation, Order, Refund
from tickets.services.actions import action_approve, action_payload, action_propose, action_undo, actions_expire
from tickets.services.conversations import conversation_claim, conversation_create
from tickets.services.escalations import escalation_open

CANCEL = {"order_number": "AP-100002", "reason": "changed my mind"}
REFUND = {"order_number": "AP-100001", "amount": "25.00", "reason": "one lantern is dented"}
LARGE = {**REFUND, "amount": "120.00"}


def make_overdue(action: Action) -> Action:
    action.expires_at = timezone.now() - timedelta(seconds=1)
    action.save(update_fields=["expires_at"])
    return action


def test_a_proposal_changes_nothing_but_is_announced(talk: Talk, cast: Cast) -> None:
    action = talk.propose("cancel_order", **CANCEL)
    cast.paid.refresh_from_db()
    assert cast.paid.status == "paid"
    assert talk.states() == ["proposed"]
    assert timedelta(minutes=29) < action.expires_at - timezone.now() <= timedelta(minutes=30)


def test_a_click_executes_and_leaves_a_receipt(talk: Talk, cast: Cast) -> None:
    action = talk.do("cancel_order", **CANCEL)
    cast.paid.refresh_from_db()
    assert (action.state, cast.paid.status) == ("done", "cancelled")
    assert action_payload(action)["receipt"]["refund"] == "180.00"
    assert "undo_until" in action_payload(action)
    assert talk.states() == ["proposed", "done"]


def test_no_token_is_ever_stored(talk: Talk) -> None:
    action = talk.propose("cancel_order", **CANCEL)
    row = Action.objects.filter(pk=action.pk).values().get()
    event = Conversation.objects.get(pk=talk.conversation.pk).events.get(type="action")
    assert talk.token(action) not in f"{row}{event.payload}"
    assert "token" not in event.payload["action"]


def test_a_token_can_be_made_from_the_events_payload(talk: Talk) -> None:
    action = talk.propose("cancel_order", **CANCEL)
    payload = action_payload(action)
    as_strings = talk.token(
        action,
        action_id=payload["id"],
        conversation_id=str(action.conversation_id),
        arguments=payload["arguments"],
        expires_at=payload["expires_at"],
    )
    assert talk.click(action, token=as_strings).state == "done"


@pytest.mark.parametrize("second", [True, False])
def test_a_second_click_does_nothing(talk: Talk, second: bool) -> None:
    action = talk.do("request_refund", **REFUND)
    if second:
        assert talk.click(action).state == "done"
    else:
        with pytest.raises(Conflict):
            talk.click(action, approve=False)
    assert Refund.objects.count() == 1
    assert talk.states() == ["proposed", "done"]


def test_a_declined_proposal_stays_declined(talk: Talk) -> None:
    action = talk.propose("request_refund", **REFUND)
    assert talk.click(action, approve=False).state == "declined"
    assert talk.click(action, approve=False).state == "declined"
    with pytest.raises(Conflict):
        talk.click(action)
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    "altered",
    [
        {"arguments": {**REFUND, "amount": "99.00"}},
        {"tool": "cancel_order"},
        {"expires_at": timezone.now() + timedelta(days=1)},
        {"action_id": "01890000-0000-7000-8000-000000000000"},
        {"conversation_id": "01890000-0000-7000-8000-000000000000"},
        {"customer_id": "01890000-0000-7000-8000-000000000000"},
    ],
)
def test_a_token_fits_one_proposal_only(talk: Talk, altered: dict[str, Any]) -> None:
    action = talk.propose("request_refund", **REFUND)
    with pytest.raises(NotFound):
        talk.click(action, token=talk.token(action, **altered))
    assert not Refund.objects.exists()


def test_arguments_altered_in_the_row_no_longer_fit_the_token(talk: Talk) -> None:
    action = talk.propose("request_refund", **REFUND)
    token = talk.token(action)
    Action.objects.filter(pk=action.pk).update(arguments={**REFUND, "amount": "99.00"})
    with pytest.raises(NotFound):
        talk.click(action, token=token)


def test_a_token_replayed_on_the_next_proposal_is_refused(talk: Talk) -> None:
    first = talk.do("request_refund", **REFUND)
    second = talk.propose("request_refund", **REFUND)
    assert second.pk != first.pk
    with pytest.raises(NotFound):
        talk.click(second, token=talk.token(first))
    assert Refund.objects.count() == 1


def test_another_conversation_cannot_click(talk: Talk, cast: Cast) -> None:
    action = talk.propose("request_refund", **REFUND)
    for elsewhere in (Talk(cast.owner), Talk(cast.other)):
        with pytest.raises(NotFound):
            elsewhere.click(action, token=talk.token(action))
    assert not Refund.objects.exists()


def test_the_customer_must_be_verified_at_the_click(talk: Talk) -> None:
    action = talk.propose("request_refund", **REFUND)
    Conversation.objects.filter(pk=talk.conversation.pk).update(identity="", verified_at=None)
    with pytest.raises(NotFound):
        talk.click(action)
    assert not Refund.objects.exists()


def test_a_click_after_the_time_is_expired(talk: Talk) -> None:
    action = make_overdue(talk.propose("request_refund", **REFUND))
    with pytest.raises(Expired):
        talk.click(action)
    with pytest.raises(Expired):
        talk.click(action)
    action.refresh_from_db()
    assert action.state == "expired"
    assert talk.states() == ["proposed", "expired"]
    assert not Refund.objects.exists()


def test_overdue_proposals_are_closed_once(talk: Talk) -> None:
    make_overdue(talk.propose("request_refund", **REFUND))
    fresh = talk.propose("cancel_order", **CANCEL)
    assert (actions_expire(), actions_expire()) == (1, 0)
    fresh.refresh_from_db()
    assert fresh.state == "proposed"


def test_the_same_key_gives_the_same_action(talk: Talk) -> None:
    first = talk.propose("request_refund", key="turn-1", **REFUND)
    talk.click(first)
    assert talk.propose("request_refund", key="turn-1", **REFUND).pk == first.pk
    assert talk.states() == ["proposed", "done"]


def test_the_same_wish_gives_the_open_proposal(talk: Talk) -> None:
    first = talk.propose("request_refund", **REFUND)
    assert talk.propose("request_refund", **dict(reversed(REFUND.items()))).pk == first.pk
    assert talk.propose("request_refund", **{**REFUND, "amount": "26.00"}).pk != first.pk
    assert Talk(talk.customer).propose("request_refund", **REFUND).pk != first.pk
    make_overdue(first)
    assert talk.propose("request_refund", **REFUND).pk != first.pk


def test_another_reason_is_no_other_wish(talk: Talk) -> None:
    first = talk.propose("cancel_order", **CANCEL)
    again = talk.propose("cancel_order", **{**CANCEL, "reason": "I ordered it twice"})
    assert again.pk == first.pk
    assert talk.states() == ["proposed"]
    assert talk.propose("request_refund", **REFUND).pk != talk.propose("request_refund", **LARGE).pk


@pytest.mark.parametrize("status", ["waiting", "human", "closed"])
def test_nothing_is_proposed_past_the_assistant(talk: Talk, status: str) -> None:
    Conversation.objects.filter(pk=talk.conversation.pk).update(status=status)
    with pytest.raises(Conflict):
        talk.propose("request_refund", **REFUND)


def test_what_policy_refuses_at_the_click_has_failed_and_left_nothing(talk: Talk, cast: Cast) -> None:
    action = talk.propose("cancel_order", **CANCEL)
    Order.objects.filter(pk=cast.paid.pk).update(status="packed")
    failed = talk.click(action)
    assert (failed.state, failed.receipt["reason"]) == ("failed", "already_packed")
    assert talk.click(action).state == "failed"
    assert not Refund.objects.exists()
    assert talk.states() == ["proposed", "failed"]


def test_the_agent_hears_of_every_change(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(hooks, "on_action_changed", [lambda action: heard.append(action.state)])
    action = talk.do("cancel_order", **CANCEL)
    action_undo(conversation=talk.conversation, action_id=action.pk)
    talk.do("request_refund", **LARGE)
    assert heard == ["done", "undone", "awaiting_staff"]


def test_a_large_refund_waits_for_staff_and_for_a_person(talk: Talk, cast: Cast) -> None:
    action = talk.do("request_refund", **LARGE)
    talk.conversation.refresh_from_db()
    assert (action.state, talk.conversation.status) == ("awaiting_staff", "waiting")
    assert talk.conversation.escalations.get().reason == "money"
    assert not Refund.objects.exists()
    done = action_approve(action_id=action.pk, staff=cast.agent, approve=True)
    assert done.state == "done"
    assert Refund.objects.get().approved_by == cast.agent
    assert talk.states() == ["proposed", "awaiting_staff", "done"]
    with pytest.raises(Conflict):
        action_approve(action_id=action.pk, staff=cast.lead, approve=False)


@pytest.mark.parametrize("approve", [True, False])
def test_once_the_refund_is_decided_nobody_waits_any_more(
    talk: Talk, cast: Cast, client: Client, approve: bool
) -> None:
    action = talk.do("request_refund", **LARGE)
    client.force_login(cast.agent)
    decide = f"/admin/inbox/{talk.conversation.pk}/actions/{action.pk}/"
    page = client.post(decide, {"approve": str(approve).lower()}, follow=True).content.decode()
    assert "With the assistant" in page
    talk.conversation.refresh_from_db()
    escalation = talk.conversation.escalations.get()
    assert (talk.conversation.status, escalation.status) == ("ai", "handed_back")
    assert escalation.ended_at is not None
    told = talk.conversation.events.filter(type="status").order_by("seq").last()
    assert told is not None
    assert told.payload == {"status": "ai"}, "the customer's banner goes"
    assert set(talk.conversation.promises.values_list("state", flat=True)) == {"kept"}
    assert AuditEntry.objects.filter(action="conversation.decided", actor=cast.agent).count() == 1
    client.force_login(cast.owner_user)
    assert "You are in line" not in client.get("/").content.decode()


def test_of_two_refunds_the_last_decision_ends_the_wait(talk: Talk, cast: Cast) -> None:
    actions = [talk.propose("request_refund", **LARGE), talk.propose("request_refund", **{**LARGE, "amount": "110.00"})]
    for action, status in zip([talk.click(action) for action in actions], ("waiting", "ai"), strict=True):
        action_approve(action_id=action.pk, staff=cast.agent, approve=False)
        talk.conversation.refresh_from_db()
        assert talk.conversation.status == status


@pytest.mark.parametrize("wanted", ["taken over", "button", "assistant", "failed"])
def test_a_decision_sends_no_person_away(talk: Talk, cast: Cast, wanted: str) -> None:
    action = talk.do("request_refund", **LARGE)
    if wanted == "taken over":
        conversation_claim(conversation_id=talk.conversation.pk, staff=cast.agent)
    elif wanted == "button":
        request_human(conversation=talk.conversation)
    elif wanted == "assistant":
        escalation_open(conversation=talk.conversation, reason="safety", summary="The stove burns.")
    else:
        Refund.objects.create(order=cast.delivered, amount="100.00", reason="by phone")
    action_approve(action_id=action.pk, staff=cast.agent, approve=True)
    talk.conversation.refresh_from_db()
    assert talk.conversation.status == ("human" if wanted == "taken over" else "waiting")
    owed = talk.conversation.promises.filter(about="reply", state="open").count()
    assert owed == (wanted in ("button", "assistant"))


def test_a_person_who_has_the_conversation_is_not_pushed_out(talk: Talk, cast: Cast) -> None:
    action = talk.propose("request_refund", **LARGE)
    conversation_claim(conversation_id=talk.conversation.pk, staff=cast.agent)
    assert talk.click(action).state == "awaiting_staff"
    talk.conversation.refresh_from_db()
    assert talk.conversation.status == "human"


def test_staff_can_refuse_with_a_reason(talk: Talk, cast: Cast) -> None:
    action = talk.do("request_refund", **LARGE)
    refused = action_approve(action_id=action.pk, staff=cast.lead, approve=False, reason="Already replaced.")
    assert (refused.state, refused.receipt["message"]) == ("declined", "Already replaced.")
    assert not Refund.objects.exists()


def test_only_support_staff_approve(talk: Talk, cast: Cast) -> None:
    action = talk.do("request_refund", **LARGE)
    for outsider in (cast.ops, cast.stranger, cast.owner_user):
        with pytest.raises(NotAllowed):
            action_approve(action_id=action.pk, staff=outsider, approve=True)
    assert not Refund.objects.exists()


def test_approval_still_obeys_policy(talk: Talk, cast: Cast) -> None:
    action = talk.do("request_refund", **{**LARGE, "amount": "180.00"})
    Refund.objects.create(order=cast.delivered, amount="100.00", reason="by phone")
    failed = action_approve(action_id=action.pk, staff=cast.agent, approve=True)
    assert (failed.state, failed.receipt["reason"]) == ("failed", "over_remaining")


def test_undo_within_the_window_only(talk: Talk, cast: Cast) -> None:
    action = talk.do("cancel_order", **CANCEL)
    Action.objects.filter(pk=action.pk).update(undo_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Expired):
        action_undo(conversation=talk.conversation, action_id=action.pk)
    cast.paid.refresh_from_db()
    assert cast.paid.status == "cancelled"


def test_undo_twice_is_undo_once(talk: Talk, cast: Cast) -> None:
    action = talk.do("cancel_order", **CANCEL)
    for _ in range(2):
        assert action_undo(conversation=talk.conversation, action_id=action.pk).state == "undone"
    cast.paid.refresh_from_db()
    assert (cast.paid.status, cast.paid.refunded_total) == ("paid", 0)
    assert talk.states() == ["proposed", "done", "undone"]
    assert talk.click(action).state == "undone"
    cast.paid.refresh_from_db()
    assert cast.paid.status == "paid"


def test_a_refund_cannot_be_undone(talk: Talk) -> None:
    action = talk.do("request_refund", **REFUND)
    with pytest.raises(Conflict):
        action_undo(conversation=talk.conversation, action_id=action.pk)


def test_another_cannot_undo(talk: Talk, cast: Cast) -> None:
    action = talk.do("cancel_order", **CANCEL)
    with pytest.raises(NotFound):
        action_undo(conversation=Talk(cast.other).conversation, action_id=action.pk)


def test_an_action_for_another_customers_order_fails(talk: Talk, cast: Cast) -> None:
    action = talk.do("request_refund", **{**REFUND, "order_number": cast.foreign.order_number})
    assert (action.state, action.receipt["reason"]) == ("failed", "not_found")


@pytest.mark.parametrize("whose", ["nobody", "other"])
def test_nothing_is_proposed_for_another_than_the_conversations_customer(cast: Cast, whose: str) -> None:
    customer = cast.other if whose == "other" else None
    conversation, _ = conversation_create(channel="chat", customer=customer)
    with pytest.raises(NotFound):
        action_propose(
            conversation=conversation,
            customer=cast.owner,
            turn_id=None,
            tool="request_refund",
            arguments=REFUND,
            summary="",
            preview={},
            idempotency_key="not-yours",
        )
