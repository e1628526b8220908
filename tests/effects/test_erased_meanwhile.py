"""A customer is erased while another system still has something to do for them, or to say."""

from __future__ import annotations

import pytest

from support_agent.privacy.rows import erase_conversation
from tests.effects.conftest import Remote
from tickets.errors import Conflict
from tickets.models import Action, Conversation, Effect, Escalation
from tickets.selectors.effects import effects_given_up
from tickets.services.actions import action_undo
from tickets.services.effect_sending import effect_decide


def erase(remote: Remote) -> None:
    erase_conversation(remote.talk.conversation.pk)


def is_over(remote: Remote) -> bool:
    """Closed, nothing for anybody to do, whatever time passes."""
    before = remote.shop.done.total()
    remote.wait(2, times=12)
    return (
        Conversation.objects.get(pk=remote.talk.conversation.pk).status == "closed"
        and remote.shop.done.total() == before
        and not Escalation.objects.filter(status__in=["waiting", "claimed"]).exists()
        and not Effect.objects.filter(settled_at=None).exists()
        and not effects_given_up(remote.talk.conversation.pk).exists()
    )


def test_what_was_not_sent_yet_never_is(remote: Remote) -> None:
    action = remote.refund()
    erase(remote)
    assert is_over(remote)
    assert (remote.state(action), remote.effect.state, action.receipt) == ("failed", "refused", {})
    assert not remote.shop.done


@pytest.mark.parametrize("minutes", [0, 30], ids=["unknown", "with a person"])
def test_nobody_asks_any_more_what_became_of_a_lost_answer(remote: Remote, minutes: int) -> None:
    remote.shop.is_mute = True
    remote.shop.faults.append("lost")
    action = remote.refund()
    remote.work()
    remote.wait(2, times=minutes // 2)
    erase(remote)
    remote.shop.is_mute = False
    assert is_over(remote)
    assert (remote.state(action), remote.effect.state) == ("failed", "given_up")
    with pytest.raises(Conflict):
        effect_decide(effect_id=remote.effect.pk, staff=remote.cast.agent, verdict="again")


def test_an_answer_that_comes_after_it_is_dropped(remote: Remote) -> None:
    remote.shop.faults.append("overtaken")
    remote.shop.meanwhile = lambda: erase(remote)
    action = remote.refund()
    remote.work()
    assert is_over(remote)
    assert (remote.state(action), action.receipt) == ("failed", {})


def test_an_undo_is_not_sent_and_none_can_be_asked_for(remote: Remote) -> None:
    first, second = remote.cancel(), remote.talk.do("request_return", order_number="AP-700001", skus=["TNT-2P-GRN"],
        reason="too small")  # fmt: skip
    remote.work()
    assert (remote.state(first), remote.state(second)) == ("done", "done")
    action_undo(conversation=remote.talk.conversation, action_id=first.pk)
    erase(remote)
    assert is_over(remote)
    assert remote.state(first) == "done"
    with pytest.raises(Conflict):
        action_undo(conversation=remote.talk.conversation, action_id=second.pk)


def test_what_is_done_but_cannot_be_written_down_goes_to_a_person(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unusable(_action: Action, _record: object) -> None:
        raise KeyError("card")

    monkeypatch.setattr("tickets.services.executors.receipt", unusable)
    remote.shop.faults.append("lost")
    action = remote.refund()
    remote.work()
    assert (remote.state(action), remote.effect.state) == ("confirmed", "given_up")
    assert remote.effect.last_error.endswith("(KeyError).")
    assert Escalation.objects.get().status == "waiting"
