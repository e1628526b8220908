"""Who is to answer next: by load among those at their inbox, 'Next', put off, and by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import Cast, make_staff
from tests.desk.waiting import WEDNESDAY, Clock, again, asks, assigned_to, at_inbox, audited, escalation_of, taken_over
from tickets import hours
from tickets.errors import Conflict, NotAllowed
from tickets.models import (
    Availability,
    Role,
    StaffProfile,
    Team,
)
from tickets.services import returning
from tickets.services.assignment import availability_set, escalation_assign, escalation_next, route_waiting
from tickets.services.conversations import (
    conversation_claim,
    conversation_close,
    conversation_hand_back,
)
from tickets.services.replies import reply_post
from tickets.services.snooze import conversation_await_customer, conversation_snooze

pytestmark = pytest.mark.django_db


def test_an_escalation_is_assigned_at_once_and_still_waits(clock: Clock, cast: Cast) -> None:
    at_inbox(cast.agent)
    conversation = asks(cast.owner)
    assert assigned_to(conversation) == cast.agent
    assert (conversation.status, conversation.assignee) == ("waiting", None)
    assert audited("conversation.assign") == [(None, {"assigned_to": ("", "agent")})]
    conversation_claim(conversation_id=conversation.pk, staff=cast.lead)  # anybody may still take it over
    assert again(conversation).assignee == cast.lead


def test_the_least_busy_gets_it_and_of_equals_who_waited_longest(clock: Clock, cast: Cast) -> None:
    third = make_staff("third", Role.AGENT, cast.team)
    at_inbox(cast.agent, cast.lead, third)
    order = []
    for _ in range(6):
        order.append(assigned_to(asks(cast.owner)))
        clock.step(0.1, cast.agent, cast.lead, third)
    assert set(order[:3]) == {cast.agent, cast.lead, third}
    assert order[3:] == order[:3]


def test_capacity_presence_and_availability_decide_who_is_asked(clock: Clock, cast: Cast) -> None:
    assert assigned_to(asks(cast.owner)) is None  # nobody has the inbox open
    at_inbox(cast.agent, cast.lead, cast.ops)
    StaffProfile.objects.filter(user=cast.agent).update(capacity=1)
    StaffProfile.objects.filter(user=cast.lead).update(availability=Availability.BUSY)
    first, second = asks(cast.owner), asks(cast.owner)
    assert (assigned_to(first), assigned_to(second)) == (cast.agent, None)
    clock.step(4)
    availability_set(staff=cast.lead, availability="available")
    assert assigned_to(second) == cast.lead


def test_the_general_team_helps_where_the_own_team_has_nobody_free(clock: Clock, cast: Cast) -> None:
    general = Team.objects.create(slug="support", name="Support")
    helper = make_staff("helper", Role.AGENT, general)
    at_inbox(helper)
    conversation = asks(cast.owner, team="billing")
    assert (escalation_of(conversation).team.slug, assigned_to(conversation)) == ("billing", helper)
    Team.objects.create(slug="engineering", name="Engineering")
    assert escalation_of(asks(cast.owner, "tool_failing", team="")).team == general, "nobody works in engineering"


@pytest.mark.parametrize(
    ("reason", "team", "minutes"),
    [
        ("asked", "support", 15),
        ("money", "billing", 10),
        ("legal", "support", 5),
        ("unsure", "support", 15),
        ("tool_failing", "engineering", 15),
        ("budget", "support", 15),
        ("loop", "support", 15),
        ("safety", "support", 5),
        ("unverified", "account_management", 15),
        ("model_failing", "support", 15),
    ],
)
def test_each_reason_has_its_team_and_its_hurry(reason: str, team: str, minutes: int, clock: Clock, cast: Cast) -> None:
    for slug in ("support", "engineering", "account_management"):
        Team.objects.create(slug=slug, name=slug)
    found = escalation_of(asks(cast.owner, reason, team=""))
    assert (found.team.slug, found.due_at - clock.now) == (team, timedelta(minutes=minutes))
    assert escalation_of(asks(cast.other, reason, team="billing")).team.slug == "billing", "a suggested one wins"


def test_what_is_not_taken_in_five_minutes_goes_to_somebody_else_once(clock: Clock, cast: Cast) -> None:
    at_inbox(cast.agent)
    conversation = asks(cast.owner)
    clock.step(4.9, cast.agent, cast.lead)
    assert route_waiting() == 0
    assert assigned_to(conversation) == cast.agent
    clock.step(0.2, cast.agent, cast.lead)
    assert route_waiting() == 2
    assert assigned_to(conversation) == cast.lead
    clock.step(5.1, cast.agent, cast.lead)
    route_waiting()
    assert assigned_to(conversation) is None, "both let it pass: it is in the queue for everybody"
    assert route_waiting() == 0
    left = audited("conversation.unassign")
    assert left == [(None, {"assigned_to": ("agent", "")}), (None, {"assigned_to": ("lead", "")})]
    availability_set(staff=cast.agent, availability="busy")
    availability_set(staff=cast.agent, availability="available")
    assert assigned_to(conversation) == cast.agent, "who comes back is asked again"


def test_a_job_with_an_old_list_leaves_the_next_person_alone(clock: Clock, cast: Cast) -> None:
    at_inbox(cast.agent)
    conversation = asks(cast.owner)
    as_listed = escalation_of(conversation)
    clock.step(5.1, cast.agent, cast.lead)
    assert route_waiting() == 2  # the other job was faster
    assert assigned_to(conversation) == cast.lead
    assert not returning._unassign(as_listed, passed=True)
    now = escalation_of(conversation)
    assert (now.assigned_to, now.passed_by) == (cast.lead, [str(cast.agent.pk)])


def test_outside_hours_an_assignment_waits_for_the_morning(clock: Clock, cast: Cast) -> None:
    clock.now = hours.next_opening(WEDNESDAY) - timedelta(hours=2)
    at_inbox(cast.agent)
    conversation = asks(cast.owner)
    clock.step(60, cast.agent)
    route_waiting()
    assert assigned_to(conversation) == cast.agent
    clock.step(66, cast.agent)
    route_waiting()
    assert assigned_to(conversation) is None


def test_who_goes_gives_back_what_was_assigned_and_keeps_what_was_taken(clock: Clock, cast: Cast) -> None:
    at_inbox(cast.agent)
    taken, assigned = asks(cast.owner), asks(cast.other)
    conversation_claim(conversation_id=taken.pk, staff=cast.agent)
    availability_set(staff=cast.agent, availability="away")
    assert assigned_to(assigned) is None
    assert again(taken).assignee == cast.agent
    assert audited("staff.availability") == [(cast.agent, {"availability": ("available", "away")})]


def test_who_closes_the_inbox_counts_as_away(clock: Clock, cast: Cast) -> None:
    at_inbox(cast.agent)
    conversation = asks(cast.owner)
    clock.step(3.1, cast.lead)
    route_waiting()
    assert assigned_to(conversation) == cast.lead


def test_snoozed_it_is_no_load_and_nobodys_next_until_it_wakes(clock: Clock, cast: Cast) -> None:
    conversation = asks(cast.owner)
    conversation_snooze(conversation=conversation, staff=cast.agent, until=clock.now + timedelta(minutes=30))
    at_inbox(cast.agent)
    assert route_waiting() == 0
    assert escalation_next(staff=cast.agent) is None
    clock.step(31, cast.agent)
    assert route_waiting() == 1
    assert again(conversation).snoozed_until is None
    assert assigned_to(conversation) == cast.agent


def test_what_can_be_put_off_and_by_whom(clock: Clock, cast: Cast) -> None:
    other = make_staff("third", Role.AGENT, cast.team)
    conversation, soon = taken_over(clock, cast), clock.now + timedelta(hours=1)
    for until in (clock.now, clock.now + timedelta(days=91)):
        with pytest.raises(Conflict, match="90 days"):
            conversation_snooze(conversation=conversation, staff=cast.agent, until=until)
    with pytest.raises(Conflict, match="colleague"):
        conversation_snooze(conversation=conversation, staff=other, until=soon)
    conversation_snooze(conversation=conversation, staff=cast.lead, until=soon)
    with pytest.raises(NotAllowed):
        conversation_snooze(conversation=conversation, staff=cast.ops, until=None)
    conversation_hand_back(conversation=conversation, staff=cast.agent)
    assert again(conversation).snoozed_until is None
    with pytest.raises(Conflict):
        conversation_snooze(conversation=conversation, staff=cast.agent, until=soon)
    with pytest.raises(Conflict, match="Take the conversation over"):
        conversation_await_customer(conversation=conversation, staff=cast.agent, on=True)


def test_next_takes_ones_own_and_the_teams_most_urgent_first(clock: Clock, cast: Cast) -> None:
    Team.objects.create(slug="engineering", name="Engineering")
    elsewhere = asks(cast.owner, team="engineering")
    clock.step(1)
    later, urgent = asks(cast.owner), asks(cast.other, "legal")
    given = asks(cast.business)
    escalation_assign(escalation_ids=[escalation_of(given).pk], to=cast.lead, actor=cast.lead)
    order = []
    for _ in range(5):
        order.append(escalation_next(staff=cast.agent))
        clock.step(0.1)
    assert order == [urgent, later, elsewhere, given, None]
    assert again(urgent).assignee == cast.agent
    with pytest.raises(NotAllowed):
        escalation_next(staff=cast.ops)


def test_many_are_assigned_by_hand_and_put_back(clock: Clock, cast: Cast) -> None:
    waiting = [asks(cast.owner), asks(cast.other)]
    ids: list[Any] = [escalation_of(conversation).pk for conversation in waiting]
    assert escalation_assign(escalation_ids=ids, to=cast.agent, actor=cast.lead) == 2
    assert escalation_assign(escalation_ids=ids, to=cast.agent, actor=cast.lead) == 0
    assert [assigned_to(conversation) for conversation in waiting] == [cast.agent, cast.agent]
    assert escalation_assign(escalation_ids=ids[:1], to=None, actor=cast.lead) == 1
    assert assigned_to(waiting[0]) is None
    with pytest.raises(Conflict):
        escalation_assign(escalation_ids=ids, to=cast.ops, actor=cast.lead)
    with pytest.raises(NotAllowed):
        escalation_assign(escalation_ids=ids, to=cast.agent, actor=cast.ops)


def test_what_was_taken_over_is_handed_on_by_its_owner_or_a_lead(clock: Clock, cast: Cast) -> None:
    other = make_staff("third", Role.AGENT, cast.team)
    conversation = taken_over(clock, cast)
    ids = [escalation_of(conversation).pk]
    assert escalation_assign(escalation_ids=ids, to=other, actor=other) == 0, "a colleague's is not for the taking"
    assert escalation_assign(escalation_ids=ids, to=other, actor=cast.agent) == 1
    found = again(conversation)
    assert (found.assignee, escalation_of(conversation).claimed_by) == (other, other)
    assert found.events.filter(type="status").latest("seq").payload["staff"] == "Third"
    assert audited("conversation.transfer") == [(cast.agent, {"assignee": ("agent", "third")})]
    assert escalation_assign(escalation_ids=ids, to=None, actor=cast.lead) == 1
    assert (again(conversation).status, again(conversation).assignee) == ("waiting", None)
    assert audited("conversation.returned")[0][0] == cast.lead


def test_what_was_handed_on_meanwhile_is_not_the_former_owners_to_end(clock: Clock, cast: Cast) -> None:
    as_looked_at = taken_over(clock, cast)
    escalation_assign(escalation_ids=[escalation_of(as_looked_at).pk], to=cast.lead, actor=cast.lead)
    with pytest.raises(Conflict, match="Lead has this conversation"):
        conversation_hand_back(conversation=as_looked_at, staff=cast.agent)
    with pytest.raises(Conflict, match="Lead has this conversation"):
        conversation_close(conversation=as_looked_at, actor=cast.agent)
    assert again(as_looked_at).assignee == cast.lead
    conversation_close(conversation=as_looked_at)  # its customer may at any time


def test_the_first_reply_is_kept_and_one_that_is_late_stays_late(clock: Clock, cast: Cast) -> None:
    kept, late = taken_over(clock, cast), taken_over(clock, cast)
    first = clock.now + timedelta(minutes=3)
    clock.step(3)
    reply_post(conversation_id=kept.pk, staff=cast.agent, text="Here.")
    clock.step(20)
    reply_post(conversation_id=kept.pk, staff=cast.agent, text="And more.")
    reply_post(conversation_id=late.pk, staff=cast.agent, text="Sorry.")
    assert (escalation_of(kept).first_reply_at, escalation_of(kept).breached_at) == (first, None)
    assert escalation_of(late).breached_at == escalation_of(late).first_reply_at == clock.now


def test_routing_costs_little_when_nobody_is_there(
    clock: Clock, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for _ in range(8):
        asks(cast.owner)
    with django_assert_max_num_queries(5):
        assert route_waiting() == 0
    assert returning.return_unanswered() == 0
