"""Which answers are drawn for staff to judge: once a day, by chance, each chance noted, nothing that may not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.utils import timezone

from support_agent.models import SpotCheck, SpotLabel, Turn
from support_agent.runtime.jobs import draw_spot_checks
from support_agent.runtime.spot_draw import quotas, spot_checks_draw
from tests.cast import Cast
from tests.ops.judged import disliked, ended, handed_over, many
from tickets.models import AuditValue, Conversation, Escalation, Message, Team
from tickets.services.messages import message_assistant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("sizes", "number", "taken"),
    [
        ({"random": 500, "escalated": 60, "doubtful": 40, "disliked": 9}, 20,
         {"random": 10, "escalated": 4, "doubtful": 3, "disliked": 3}),
        ({"random": 500, "escalated": 2}, 20, {"random": 18, "escalated": 2}),
        ({"random": 3, "escalated": 60}, 20, {"random": 3, "escalated": 17}),
        ({"random": 3, "disliked": 1}, 20, {"random": 3, "disliked": 1}),
        ({"random": 400, "disliked": 30}, 8, {"random": 7, "disliked": 1}),
        ({}, 20, {}),
    ],
)  # fmt: skip
def test_every_group_has_its_share_and_what_it_leaves_goes_to_others(
    sizes: dict[str, int], number: int, taken: dict[str, int]
) -> None:
    assert quotas(sizes, number) == taken


def test_chances_are_noted_group_by_group(cast: Cast) -> None:
    turns = many(cast, 24)
    for turn in turns[:4]:
        handed_over(turn)
    Turn.objects.filter(pk=turns[4].pk).update(doubtful=True)
    disliked(turns[5])
    assert spot_checks_draw(number=10) == 10
    drawn = SpotCheck.objects.all()
    assert Counter(check.drawn for check in drawn) == {"random": 6, "escalated": 2, "doubtful": 1, "disliked": 1}
    assert {check.drawn: check.chance for check in drawn} == pytest.approx(
        {"random": 6 / 18, "escalated": 0.5, "doubtful": 1.0, "disliked": 1.0}
    )
    assert sum(1 / check.chance for check in drawn) == pytest.approx(24)  # together they stand for the day
    assert sorted(check.wanted for check in drawn) == [1] * 8 + [2] * 2


def test_a_few_a_day_all_have_the_same_chance(cast: Cast) -> None:
    turns = many(cast, 10)
    for turn in turns[:5]:
        handed_over(turn)
    assert spot_checks_draw(number=5) == 5
    assert set(SpotCheck.objects.values_list("drawn", "chance")) == {("random", 0.5)}


def test_a_day_is_drawn_once(cast: Cast) -> None:
    many(cast, 12)
    assert spot_checks_draw(number=8) == 8
    assert spot_checks_draw(number=8) == 0
    draw_spot_checks()
    assert SpotCheck.objects.count() == 8
    assert spot_checks_draw(number=8, now=timezone.now() + timedelta(days=1)) == 0  # nobody wrote today


def test_no_number_draws_nothing(cast: Cast) -> None:
    many(cast, 2)
    assert spot_checks_draw(number=0) == 0


def test_what_is_not_judged(cast: Cast) -> None:
    """Today's, failed, cut short, somebody's who was erased, a program's, and while a person was awaited."""
    now = timezone.now()
    ended(cast.owner, at=now)
    ended(cast.owner, at=now - timedelta(days=2, hours=12))
    ended(cast.owner, state="failed")
    ended(cast.owner, state="running")
    ended(cast.owner, state="escalated", stop_requested="human")
    erased = ended(cast.owner)
    Message.objects.filter(turn_id=erased.pk).update(text="[erased]")
    task = ended(cast.owner, surface="background")
    Conversation.objects.filter(pk=task.conversation_id).update(channel="task")
    awaited = ended(cast.owner)
    Escalation.objects.create(
        conversation=awaited.conversation, reason="asked", team=Team.objects.all()[0], due_at=now,
        created_at=awaited.created_at - timedelta(minutes=5),
    )  # fmt: skip
    unasked = Turn.objects.create(conversation=awaited.conversation, surface="signed_in", state="answered",
                                  created_at=now - timedelta(days=1))  # fmt: skip
    message_assistant(conversation=awaited.conversation, text="Hello", turn_id=unasked.pk)
    assert spot_checks_draw(number=20) == 0
    wanted = ended(cast.owner)
    spot_checks_draw(number=20)
    assert [check.turn for check in SpotCheck.objects.all()] == [wanted]


def test_what_nobody_judged_is_dropped_and_half_a_pair_counts(cast: Cast) -> None:
    old = timezone.now() - timedelta(days=20)
    alone, half = (
        SpotCheck.objects.create(turn=turn, wanted=2, created_at=old)
        for turn in many(cast, 2, at=old - timedelta(days=1))
    )
    SpotLabel.objects.create(spot_check=half, staff=cast.agent, needs_person=False, accuracy="accurate")
    fresh = SpotCheck.objects.create(turn=ended(cast.owner, at=timezone.now()))
    gone = SpotCheck.objects.create(turn=ended(cast.owner, at=timezone.now()))
    Message.objects.filter(turn_id=gone.turn_id).update(text="[erased]")
    spot_checks_draw(number=0)
    assert set(SpotCheck.objects.all()) == {half, fresh}
    half.refresh_from_db()
    assert half.closed_at is not None
    said = AuditValue.objects.filter(entry__action="spot_label.close").values_list("field", "after")
    assert set(said) == {("needs_person", "False"), ("accuracy", "accurate")}
    assert alone.pk not in SpotCheck.objects.values_list("pk", flat=True)


@pytest.mark.parametrize("turns", [3, 12])
def test_it_takes_as_many_queries_for_many_turns_as_for_few(
    turns: int, cast: Cast, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    many(cast, turns)
    with django_assert_num_queries(10):
        assert spot_checks_draw(number=2) == 2
