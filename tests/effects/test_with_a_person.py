"""What nobody could find out goes to a person, the customer hears so, and what the person found is told on the card."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from tests.effects.conftest import Remote
from tickets.errors import Conflict, NotAllowed
from tickets.models import Action, AuditEntry, Conversation, Escalation
from tickets.services.actions import action_undo
from tickets.services.effect_sending import effect_decide


@pytest.fixture
def lost(remote: Remote) -> Action:
    """A refund of which nobody knows whether it was made."""
    remote.shop.is_mute = True
    remote.shop.faults.append("lost")
    action = remote.refund()
    remote.wait(2, times=10)
    assert remote.effect.state == "given_up"
    return action


def decide(remote: Remote, verdict: str, reference: str = "") -> None:
    effect_decide(effect_id=remote.effect.pk, staff=remote.cast.agent, verdict=verdict, reference=reference)


def test_the_customer_hears_that_a_person_looks(remote: Remote, lost: Action) -> None:
    assert remote.state(lost) == "confirmed"
    assert lost.receipt["message"].startswith("We could not find out yet whether this was done. A person")
    found = Escalation.objects.get()
    assert (found.reason, found.team.slug, found.summary) == ("money", "billing", lost.summary)
    assert remote.shop.done.total() == 1  # never sent again


def test_it_was_done(remote: Remote, lost: Action) -> None:
    decide(remote, "done", " RF-77 ")
    assert (remote.state(lost), remote.effect.state) == ("done", "done")
    assert lost.receipt == {"message": "This is done.", "reference": "RF-77"}
    entry = AuditEntry.objects.get(action="effect.decide")
    assert entry.actor == remote.cast.agent
    assert Conversation.objects.get().status == "ai"  # nothing else is waited for
    with pytest.raises(Conflict):
        decide(remote, "not_done")


def test_it_was_not_done(remote: Remote, lost: Action) -> None:
    decide(remote, "not_done")
    assert (remote.state(lost), remote.effect.state) == ("failed", "refused")
    assert lost.receipt["message"] == "After a look at it: this was not done."


def test_it_is_sent_again_under_its_key(remote: Remote, lost: Action) -> None:
    key = remote.effect.key
    decide(remote, "again")
    assert remote.state(lost) == "confirmed"
    assert lost.receipt["message"] == "We are carrying this out now."
    remote.work()
    assert (remote.state(lost), remote.effect.key) == ("done", key)


@pytest.fixture
def lost_cancel(remote: Remote) -> Action:
    """A cancellation that was done, of which nobody heard; policy would refuse the same today."""
    remote.shop.is_mute = True
    remote.shop.faults.append("lost")
    action = remote.cancel()
    remote.wait(2, times=10)
    assert (remote.effect.state, remote.shop.all_orders["AP-700002"].status) == ("given_up", "cancelled")
    return action


def test_what_was_done_is_told_as_done_when_it_is_to_be_sent_again(remote: Remote, lost_cancel: Action) -> None:
    remote.shop.is_mute = False
    decide(remote, "again")
    remote.work()
    assert (remote.state(lost_cancel), lost_cancel.receipt["order_status"]) == ("done", "cancelled")
    assert remote.shop.done.total() == 1


@pytest.mark.parametrize("is_away", [False, True])
def test_what_may_be_done_is_never_told_as_failed(remote: Remote, lost_cancel: Action, is_away: bool) -> None:
    remote.shop.is_away = is_away
    decide(remote, "again")
    remote.wait(2, times=10)
    assert (remote.state(lost_cancel), remote.effect.state) == ("confirmed", "given_up")
    assert "A person is looking" in lost_cancel.receipt["message"]
    assert Escalation.objects.filter(status="waiting").count() == 1


def test_an_undo_nobody_knows_of(remote: Remote) -> None:
    action = remote.cancel()
    remote.work()
    action_undo(conversation=remote.talk.conversation, action_id=action.pk)
    remote.shop.is_mute = True
    remote.shop.faults.append("not_arrived")
    remote.wait(2, times=10)
    assert remote.state(action) == "done"
    assert "A person is looking" in action.receipt["message"]
    undo = action.effects.get(kind="undo")
    effect_decide(effect_id=undo.pk, staff=remote.cast.lead, verdict="not_done")
    assert (remote.state(action), action.receipt["message"]) == ("done", "After a look at it: this was not done.")


def test_an_undo_that_cannot_be_sent_is_promised_a_person_and_gets_one(remote: Remote) -> None:
    action = remote.cancel()
    remote.work()
    action_undo(conversation=remote.talk.conversation, action_id=action.pk)
    remote.shop.is_away = True
    remote.wait(2, times=12)
    assert remote.state(action) == "done"
    assert action.receipt["message"].endswith("so nothing was done. A person will help.")
    assert Escalation.objects.get().summary == action.summary


def test_only_who_answers_decides(remote: Remote, lost: Action) -> None:
    with pytest.raises(NotAllowed):
        effect_decide(effect_id=remote.effect.pk, staff=remote.cast.ops, verdict="done")


def test_the_inbox_has_the_facts_and_the_deeds(remote: Remote, lost: Action, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # pages need a real clock
    client, address = Client(), f"/admin/inbox/{lost.conversation_id}/"
    client.force_login(remote.cast.agent)
    page = client.get(address).content.decode()
    assert "Nobody knows whether this was done:" in page
    assert remote.effect.key in page
    answer = client.post(f"{address}effects/{remote.effect.pk}/", {"verdict": "done", "reference": "<b>RF-77"})
    assert answer.status_code == 302
    assert remote.state(lost) == "done"
    page = client.get(address).content.decode()
    assert "Nobody knows" not in page
    assert "<b>RF-77" not in page
    assert client.post(f"{address}effects/{remote.effect.pk}/", {"verdict": "nonsense"}).status_code == 404


def test_the_panel_shows_the_other_systems_orders_or_that_it_is_away(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    client, address = Client(), f"/admin/inbox/{remote.talk.conversation.pk}/"
    client.force_login(remote.cast.agent)
    cache.clear()
    assert "AP-700002" in client.get(address).content.decode()
    remote.shop.is_away = True
    assert "AP-700002" in client.get(address).content.decode()  # asked a moment ago
    cache.clear()
    assert "They could not be fetched just now." in client.get(address).content.decode()
    cache.clear()
