"""What a click asks another system for is written down, sent once, and told live; a lost answer is asked about."""

from __future__ import annotations

import pytest
from django.core import mail

from tests.effects.conftest import Remote
from tickets import jobs
from tickets.models import Action, Effect, Escalation, Job
from tickets.services.actions import action_approve, action_undo


def test_a_click_is_an_intent_and_then_it_is_done_once(remote: Remote) -> None:
    action = remote.refund()
    assert (action.state, remote.effect.state, sum(remote.shop.done.values())) == ("confirmed", "intended", 0)
    assert Job.objects.get(function="support_agent.runtime.jobs.send_effect").arguments == [str(remote.effect.pk)]
    remote.talk.click(action)
    remote.work()
    remote.work()
    assert remote.state(action) == "done"
    assert remote.talk.states() == ["proposed", "confirmed", "done"]
    assert action.receipt["card"]["id"] == "AP-700001-R1"
    assert remote.shop.done == {f"action:{action.pk}:perform": 1}


def test_what_was_shown_is_what_is_sent_and_the_label_is_mailed_by_us(remote: Remote) -> None:
    action = remote.talk.do("request_return", order_number="AP-700001", skus=["TNT-2P-GRN"], reason="too small")
    remote.work()
    assert remote.state(action) == "done"
    assert action.receipt["fee"] == "0.00"  # the plan of the account there, which our row did not know
    jobs.mail_return_label(str(action.pk))
    assert "R-700001" in mail.outbox[-1].subject
    assert mail.outbox[-1].to == ["rita.remote@example.com"]
    remote.rita.refresh_from_db()
    assert remote.rita.plan == "plus"


@pytest.mark.parametrize("fault", ["lost", "not_arrived"])
def test_a_lost_answer_is_asked_about_at_once(remote: Remote, fault: str) -> None:
    remote.shop.faults.append(fault)
    action = remote.refund()
    remote.work()
    assert remote.state(action) == "done"
    assert list(remote.shop.done.values()) == [1]
    assert remote.effect.attempts == (1 if fault == "lost" else 2)


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_whoever_died_while_sending_is_found_by_the_clock(remote: Remote, fault: str) -> None:
    remote.shop.faults.append(fault)
    action = remote.refund()
    remote.work()
    remote.work()
    assert (remote.state(action), remote.effect.state) == ("confirmed", "sending")
    remote.wait(2)
    assert remote.state(action) == "done"
    assert list(remote.shop.done.values()) == [1]


def test_a_system_that_is_away_is_tried_again_and_then_a_person_helps(remote: Remote) -> None:
    remote.shop.is_away = True
    action = remote.refund()
    remote.wait(0.5, times=3)
    assert (remote.state(action), remote.effect.state) == ("confirmed", "intended")
    remote.shop.is_away = False
    remote.wait(2)
    assert remote.state(action) == "done"

    remote.shop.is_away = True
    second = remote.cancel()
    remote.wait(2, times=12)
    assert (remote.state(second), second.receipt["reason"]) == ("failed", "unreachable")
    assert Escalation.objects.get().summary == second.summary
    assert sum(remote.shop.done.values()) == 1


def test_a_refusal_is_told(remote: Remote) -> None:
    remote.shop.faults.append("refused")
    action = remote.refund()
    remote.work()
    assert remote.state(action) == "failed"
    assert action.receipt == {"reason": "too_much", "message": "That is more than was paid."}


def test_policy_is_asked_again_before_it_is_sent(remote: Remote) -> None:
    action = remote.talk.propose("cancel_order", order_number="AP-700001", reason="I changed my mind")
    remote.talk.click(action)
    remote.work()
    assert (remote.state(action), action.receipt["reason"]) == ("failed", "already_shipped")
    assert not remote.shop.done


def test_more_than_a_click_may_move_goes_to_staff(remote: Remote) -> None:
    action = remote.refund("150.00")
    remote.work()
    assert (remote.state(action), Effect.objects.count()) == ("awaiting_staff", 0)
    assert Escalation.objects.get().team.slug == "billing"
    action_approve(action_id=action.pk, staff=remote.cast.agent, approve=True)
    remote.work()
    assert (remote.state(action), remote.effect.approved_by) == ("done", "agent")
    assert remote.talk.states() == ["proposed", "confirmed", "awaiting_staff", "confirmed", "done"]


def test_what_is_on_its_way_counts_towards_the_limit(remote: Remote) -> None:
    first, second = remote.refund("60.00"), remote.refund("55.00", order="AP-700002")
    remote.work()
    assert {remote.state(first), remote.state(second)} == {"awaiting_staff"}  # asked for before either was done
    assert not remote.shop.done


def test_it_is_taken_back_there_and_told_when_it_is(remote: Remote) -> None:
    action = remote.cancel()
    remote.work()
    assert remote.state(action) == "done"

    def undo() -> Action:
        return action_undo(conversation=remote.talk.conversation, action_id=action.pk)

    assert undo().receipt["message"] == "We are taking this back now."
    assert undo().state == "done"  # a second click
    remote.shop.faults.append("lost")
    remote.work()
    assert remote.state(action) == "undone"
    assert action.receipt["message"].startswith("The order is cancelled.")
    assert remote.shop.all_orders["AP-700002"].status == "paid"
    assert sorted(remote.shop.done.values()) == [1, 1]


def test_what_cannot_be_taken_back_stays_done(remote: Remote) -> None:
    action = remote.cancel()
    remote.work()
    action_undo(conversation=remote.talk.conversation, action_id=action.pk)
    remote.shop.faults.append("refused")
    remote.work()
    assert (remote.state(action), action.receipt["message"]) == ("done", "That is more than was paid.")
    assert action.undo_until is None


def test_an_erased_tool_gives_it_to_a_person(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    action = remote.refund()
    monkeypatch.setattr("tickets.services.effects.performers", [])
    remote.work()
    assert (remote.state(action), remote.effect.state) == ("confirmed", "given_up")


def test_the_same_wish_is_not_offered_while_it_is_under_way(remote: Remote) -> None:
    action = remote.refund()
    again = remote.talk.propose("request_refund", order_number="AP-700001", amount="20.00", reason="again")
    assert again.pk == action.pk
    assert Action.objects.count() == 1
