"""Real threads on PostgreSQL: one 'Next' for two, one last place for many, jobs beside each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from tests.cast import Cast, make_cast, make_staff
from tests.desk.test_action_races import at_once
from tests.desk.waiting import asks, at_inbox, escalation_of
from tickets.models import AuditEntry, Conversation, Escalation, Resolution, Role, StaffProfile
from tickets.services.assignment import escalation_next, route_waiting
from tickets.services.conversations import conversation_claim, conversation_close, conversation_create, lock
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_assistant
from tickets.services.returning import ask_again
from tickets.services.surveys import feedback_give, survey_answer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people() -> Cast:
    return make_cast()


def test_two_people_and_one_next(people: Cast) -> None:
    conversation = asks(people.owner)
    results = at_once(lambda: escalation_next(staff=people.agent), lambda: escalation_next(staff=people.lead))
    assert sorted(result is not None for result in results) == [False, True]
    conversation.refresh_from_db()
    assert conversation.assignee in (people.agent, people.lead)
    assert AuditEntry.objects.filter(action="conversation.claim").count() == 1


def test_two_clicks_of_one_person_take_one(people: Cast) -> None:
    asks(people.owner)
    asks(people.other)
    results = at_once(lambda: escalation_next(staff=people.agent), lambda: escalation_next(staff=people.agent))
    assert len({result.pk for result in results if isinstance(result, Conversation)}) == 1
    assert Conversation.objects.filter(status="human").count() == 1


def test_two_people_and_two_waiting_get_one_each(people: Cast) -> None:
    asks(people.owner)
    asks(people.other)
    results = at_once(lambda: escalation_next(staff=people.agent), lambda: escalation_next(staff=people.lead))
    taken = {result.pk for result in results if isinstance(result, Conversation)}
    # Whoever looked while the other was taking it went on to the next, or heard that nobody waits and asks again.
    assert len(taken) == len([result for result in results if result is not None]) >= 1
    holders = Conversation.objects.filter(status="human").values_list("assignee", flat=True)
    assert len(set(holders)) == len(holders) == len(taken)


def test_many_escalations_at_once_fill_the_places_and_no_more(people: Cast) -> None:
    StaffProfile.objects.update(capacity=2)
    at_inbox(people.agent, people.lead)
    talks = [conversation_create(channel="chat", customer=people.owner)[0] for _ in range(8)]
    at_once(*[
        lambda talk=talk: escalation_open(conversation=talk, reason="asked", team="billing") for talk in talks
    ])  # fmt: skip
    assert Escalation.objects.filter(status="waiting").count() == 8
    assert Escalation.objects.filter(assigned_to=people.agent).count() == 2
    assert Escalation.objects.filter(assigned_to=people.lead).count() == 2


def test_the_job_beside_itself_and_a_claim_assigns_once(people: Cast) -> None:
    talks = [asks(people.owner) for _ in range(4)]
    make_staff("third", Role.AGENT, people.team)
    at_inbox(people.agent, people.lead)
    at_once(
        route_waiting,
        route_waiting,
        route_waiting,
        lambda: conversation_claim(conversation_id=talks[0].pk, staff=people.admin),
    )
    route_waiting()
    assert escalation_of(talks[0]).claimed_by == people.admin
    assert Escalation.objects.filter(status="waiting", assigned_to__isnull=False).count() == 3
    for talk in talks[1:]:
        assert AuditEntry.objects.filter(action="conversation.assign", object_id=str(talk.pk)).count() == 1


def test_who_comes_back_waits_for_the_job_and_keeps_what_it_writes(people: Cast) -> None:
    talk = asks(people.owner)
    Escalation.objects.update(passed_by=[str(people.agent.pk)])
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            lock(talk.pk)
            coming = threads.submit(_and_close, lambda: ask_again(people.agent))
            with pytest.raises(TimeoutError):
                coming.result(timeout=0.3)  # the job has it
            Escalation.objects.update(passed_by=[str(people.agent.pk), str(people.lead.pk)])
        coming.result(timeout=10)
    assert escalation_of(talk).passed_by == [str(people.lead.pk)]


def _and_close(deed: Callable[[], object]) -> None:
    try:
        deed()
    finally:
        connection.close()


def test_whatever_says_so_first_one_resolution_stands(people: Cast) -> None:
    talk, _ = conversation_create(channel="chat", customer=people.owner)
    answer = message_assistant(conversation=talk, text="Here.", turn_id=talk.pk)
    at_once(
        lambda: survey_answer(conversation=talk, rating=5),
        lambda: feedback_give(conversation=talk, message_id=answer.pk, helpful=True),
        lambda: conversation_close(conversation=talk),
        lambda: conversation_close(conversation=talk, actor=people.agent),
    )
    assert [one.kind for one in Resolution.objects.all()] == ["confirmed"]
