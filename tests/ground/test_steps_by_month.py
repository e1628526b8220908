"""deploy/sql/steps-by-month.sql, which docs/scaling.md tells to run some day: the product goes on over it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from support_agent.models import Step, Turn
from support_agent.privacy.retention import purge
from support_agent.runtime.rollups import rollups_rebuild
from tests.stack import ROOT
from tickets.models import Conversation
from tickets.services.conversations import conversation_create

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_month(db: None) -> None:
    """In the test's own transaction, which takes it back."""
    with connection.cursor() as cursor:
        cursor.execute((ROOT / "deploy" / "sql" / "steps-by-month.sql").read_text())


def first_id(moment: datetime) -> UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT steps_from(%s)", [moment])
        found: UUID = cursor.fetchone()[0]
        return found


def step_at(conversation: Conversation, moment: datetime) -> Step:
    """A step of a turn that began then."""
    turn = Turn.objects.create(id=first_id(moment), conversation=conversation, surface="anonymous", state="answered")
    step = Step.objects.create(turn=turn, index=1, kind="model_call", input={"words": "a"}, output={"words": "b"})
    Turn.objects.filter(pk=turn.pk).update(created_at=moment)
    Step.objects.filter(pk=step.pk).update(created_at=moment)
    return step


def part_of(step: Step) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM support_agent_step WHERE id = %s", [step.pk])
        name: str = cursor.fetchone()[0]
        return name.removeprefix("support_agent_step_")


def test_each_step_is_in_its_month_and_all_that_held_holds(by_month: None) -> None:
    conversation, _ = conversation_create(channel="chat")
    now = timezone.now()
    later, much_later = datetime(now.year + 1, now.month, 1, tzinfo=UTC), now + timedelta(days=1500)
    steps = [step_at(conversation, moment) for moment in (now - timedelta(days=95), now, later, much_later)]
    assert [part_of(step) for step in steps] == ["before", "before", later.strftime("%Y_%m"), "rest"]
    for step in steps:
        assert list(Step.objects.filter(turn=step.turn)) == [step]
        with pytest.raises(IntegrityError), transaction.atomic():
            Step.objects.create(turn=step.turn, index=1, kind="model_call")
    assert purge()["traces"] == 1
    assert Step.objects.filter(input={}).count() == 1
    rollups_rebuild()
    Step.objects.filter(pk=steps[2].pk).update(output={})
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # in a transaction of its own nothing would be waiting
        part = f"support_agent_step_{later:%Y_%m}"
        cursor.execute(f"ALTER TABLE support_agent_step DETACH PARTITION {part}")
        cursor.execute(f"DROP TABLE {part}")
        cursor.execute("CALL steps_month(%s)", [later.date()])
    assert set(Step.objects.all()) == {steps[0], steps[1], steps[3]}
    steps[0].turn.delete()
    assert Step.objects.count() == 2


def test_it_is_looked_up_by_its_indexes_and_new_months_can_be_made(by_month: None) -> None:
    with connection.cursor() as cursor:
        for number in range(14, 17):  # months ahead; one that is there is no error
            cursor.execute(
                "CALL steps_month((date_trunc('month', now()) + make_interval(months => %s))::date)", [number]
            )
            cursor.execute(
                "CALL steps_month((date_trunc('month', now()) + make_interval(months => %s))::date)", [number]
            )
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'support_agent_step'::regclass")
        assert cursor.fetchone() == (17,)
        cursor.execute(
            "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indrelid::regclass::text LIKE 'support_agent_step%'"
        )
        assert cursor.fetchone() == (0,)
    names = {index.name for index in Step._meta.indexes} | {one.name for one in Step._meta.constraints}
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "support_agent_step")
    assert names <= set(found)
