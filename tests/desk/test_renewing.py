"""An expired proposal offered again: the same arguments, policy asked anew, a limit, and never twice for one press."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from support_agent.runtime.renewals import renew
from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets.errors import Conflict, Expired, NotEligible, NotFound
from tickets.models import Action, Conversation, Order
from tickets.services.actions import MAX_RENEWALS, actions_expire
from tickets.services.conversations import conversation_create

CANCEL = {"order_number": "AP-100002", "reason": "ordered twice"}


def overdue(talk: Talk) -> Action:
    """A proposal whose time is over, and nobody has noticed yet."""
    action = talk.propose("cancel_order", **CANCEL)
    return run_out(action)


def run_out(action: Action) -> Action:
    Action.objects.filter(pk=action.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    action.refresh_from_db()
    return action


def test_the_same_is_offered_and_the_old_one_stays_expired(talk: Talk) -> None:
    old = overdue(talk)
    new = renew(conversation=talk.conversation, action_id=old.pk)
    old.refresh_from_db()
    assert (old.state, new.state, new.arguments) == ("expired", "proposed", old.arguments)
    assert new.expires_at > timezone.now() + timedelta(minutes=29)
    assert talk.states() == ["proposed", "expired", "proposed", "expired"]
    last = talk.conversation.events.filter(type="action").latest("seq")
    assert last.payload["action"]["renewed_as"] == str(new.pk)
    assert talk.token(new) != talk.token(old)
    with pytest.raises(Expired):
        talk.click(old)
    assert talk.click(new).state == "done"


def test_two_presses_give_one_offer(talk: Talk) -> None:
    old = overdue(talk)
    first, second = (renew(conversation=talk.conversation, action_id=old.pk) for _ in range(2))
    assert first.pk == second.pk
    assert Action.objects.filter(state="proposed").count() == 1


def test_policy_decides_anew(talk: Talk, cast: Cast) -> None:
    old = overdue(talk)
    actions_expire()
    Order.objects.filter(pk=cast.paid.pk).update(status="packed")
    with pytest.raises(NotEligible, match="already packed"):
        renew(conversation=talk.conversation, action_id=old.pk)
    assert Action.objects.count() == 1


def test_after_some_times_it_is_over(talk: Talk) -> None:
    action = overdue(talk)
    for _ in range(MAX_RENEWALS):
        action = run_out(renew(conversation=talk.conversation, action_id=action.pk))
    with pytest.raises(Conflict, match="several times"):
        renew(conversation=talk.conversation, action_id=action.pk)


@pytest.mark.parametrize("state", ["proposed", "declined", "done"])
def test_only_what_has_expired(talk: Talk, state: str) -> None:
    action = talk.propose("cancel_order", **CANCEL)
    if state != "proposed":
        talk.click(action, approve=state == "done")
    with pytest.raises(Conflict):
        renew(conversation=talk.conversation, action_id=action.pk)


def test_nobody_elses(talk: Talk, cast: Cast) -> None:
    old = overdue(talk)
    theirs, _ = conversation_create(channel="chat", customer=cast.other, identity="session")
    for conversation, action_id in ((theirs, old.pk), (talk.conversation, uuid4())):
        with pytest.raises(NotFound):
            renew(conversation=conversation, action_id=action_id)


def test_not_while_a_person_has_it(talk: Talk) -> None:
    old = overdue(talk)
    Conversation.objects.filter(pk=talk.conversation.pk).update(status="human")
    with pytest.raises(NotEligible, match="taking over"):
        renew(conversation=talk.conversation, action_id=old.pk)


def test_what_is_offered_already_is_not_offered_twice(talk: Talk) -> None:
    old = overdue(talk)
    actions_expire()
    talk.propose("cancel_order", **CANCEL)
    with pytest.raises(Conflict, match="further down"):
        renew(conversation=talk.conversation, action_id=old.pk)
