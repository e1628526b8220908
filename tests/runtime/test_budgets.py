"""Hard limits hold whatever runs beside; soft ones are told; staff may change them."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection

from support_agent.agent.errors import LimitReached
from support_agent.agent.types import Spend, Surface, Usage
from support_agent.models import Alert, SurfaceLimit, SystemLimit, Turn
from support_agent.models.limits import Spend as Total
from support_agent.runtime import budgets, controls
from support_agent.runtime.budgets import TurnBudget, settle_reservation, spent_of
from tests.fakes.replies import says
from tests.runtime.conftest import Rig, begin, post
from tickets.db import in_db
from tickets.models import Conversation, Customer

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def budget_of(turn: Turn, conversation: Conversation, *, spent: Decimal = Decimal(0)) -> TurnBudget:
    return TurnBudget(turn, conversation, controls.controls().limits[Surface(turn.surface)], spent=spent)


def turn_of(customer: Customer | None = None) -> tuple[Turn, Conversation]:
    conversation = begin(customer)
    turn = post(conversation, "Hello").turn
    assert turn is not None
    return turn, conversation


@pytest.fixture(autouse=True)
def _fresh_controls(transactional_db: None) -> None:
    controls.forget()


async def test_a_settled_call_costs_what_it_cost() -> None:
    turn, conversation = await in_db(turn_of)
    budget = await in_db(budget_of, turn, conversation)
    await budget.reserve(Decimal("0.05"), 1000)
    await budget.settle(Decimal("0.05"), Spend(Usage(100, 10), Decimal("0.01")))
    assert await in_db(settle_reservation, turn, Decimal("0.01"))
    assert not await in_db(settle_reservation, turn, Decimal("0.01"))
    row = await in_db(Total.objects.get, scope="conversation")
    assert (row.spent_usd, row.reserved_usd) == (Decimal("0.01"), Decimal(0))
    assert budget.remaining()[0] == Decimal("0.09")
    assert budget.remaining()[1] == 49_890


async def test_a_reservation_that_waits_for_its_turn_holds_no_total() -> None:
    """Settling locks a turn and then the totals: reserving in the other order would be a deadlock of the two."""
    turn, conversation = await in_db(turn_of)
    budget = await in_db(budget_of, turn, conversation)
    await budget.reserve(Decimal("0.05"), 1000)
    database = urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}"))
    async with await psycopg.AsyncConnection.connect(database) as other:
        await other.execute("SELECT 1 FROM support_agent_turn FOR UPDATE")
        reserving = asyncio.create_task(budget.reserve(Decimal("0.01"), 1000))
        async with asyncio.timeout(60):
            while not (await (await other.execute(WAITING)).fetchone() or (0,))[0]:  # noqa: ASYNC110  # the database's
                await asyncio.sleep(0.01)
        await other.execute("SELECT 1 FROM support_agent_spend FOR UPDATE NOWAIT")
        await other.commit()
    await reserving


async def test_step_turn_and_token_limits_stop_a_call_before_it_is_made() -> None:
    turn, conversation = await in_db(turn_of)
    for usd, tokens, limit in (("0.11", 1, "step"), ("0.01", 50_001, "tokens")):
        with pytest.raises(LimitReached) as stopped:
            await (await in_db(budget_of, turn, conversation)).reserve(Decimal(usd), tokens)
        assert stopped.value.limit == limit
    with pytest.raises(LimitReached) as stopped:
        await (await in_db(budget_of, turn, conversation, spent=Decimal("0.095"))).reserve(Decimal("0.01"), 1)
    assert stopped.value.limit == "turn"
    assert not await in_db(Total.objects.exists)


async def test_parallel_turns_of_one_customer_cannot_pass_the_days_limit() -> None:
    customer = await in_db(lambda: Customer.objects.create(email="many@example.com", name="Many"))
    budgets = [await in_db(budget_of, *await in_db(turn_of, customer)) for _ in range(15)]
    done = await asyncio.gather(*(b.reserve(Decimal("0.45"), 1) for b in budgets), return_exceptions=True)
    refused = [result for result in done if isinstance(result, LimitReached)]
    assert len(done) - len(refused) == 11  # 11 x 0.45 = 4.95 of 5.00
    assert {error.limit for error in refused} == {"day"}
    row = await in_db(Total.objects.get, scope="customer")
    assert row.reserved_usd == Decimal("4.95")


async def test_a_refused_reservation_leaves_nothing_behind() -> None:
    turn, conversation = await in_db(turn_of)
    key = str(conversation.pk)
    await in_db(lambda: Total.objects.create(scope="conversation", key=key, spent_usd=Decimal("0.45")))
    with pytest.raises(LimitReached) as stopped:
        await (await in_db(budget_of, turn, conversation)).reserve(Decimal("0.09"), 1)
    assert stopped.value.limit == "conversation"
    assert await in_db(lambda: Total.objects.filter(reserved_usd__gt=0).exists()) is False
    assert await in_db(spent_of, "conversation", key) == Decimal("0.45")


async def test_three_quarters_alert_once_and_four_fifths_are_tight() -> None:
    turn, conversation = await in_db(turn_of)
    key = str(conversation.pk)
    await in_db(lambda: Total.objects.create(scope="conversation", key=key, spent_usd=Decimal("0.37")))
    budget = await in_db(budget_of, turn, conversation)
    await budget.reserve(Decimal("0.01"), 1)
    await in_db(settle_reservation, turn, Decimal("0.01"))
    assert not budget.is_tight()
    await budget.reserve(Decimal("0.02"), 1)
    assert budget.is_tight()
    assert await in_db(lambda: Alert.objects.filter(kind="budget").count()) == 1


async def test_staff_may_change_a_surfaces_limits() -> None:
    await in_db(lambda: SurfaceLimit.objects.create(surface="anonymous", step=Decimal("0.01")))
    turn, conversation = await in_db(turn_of)
    with pytest.raises(LimitReached):
        await (await in_db(budget_of, turn, conversation)).reserve(Decimal("0.02"), 1)


async def test_a_surface_may_have_a_limit_for_the_day() -> None:
    await in_db(lambda: SurfaceLimit.objects.create(surface="anonymous", surface_day=Decimal("0.05")))
    first, second = await in_db(turn_of), await in_db(turn_of)
    await (await in_db(budget_of, *first)).reserve(Decimal("0.04"), 1)
    with pytest.raises(LimitReached) as stopped:
        await (await in_db(budget_of, *second)).reserve(Decimal("0.04"), 1)
    assert stopped.value.limit == "surface"


async def test_staff_may_change_the_hour_of_the_whole_system() -> None:
    await in_db(lambda: SystemLimit.objects.create(usd=Decimal("0.05")))
    first, second = await in_db(turn_of), await in_db(turn_of)
    await (await in_db(budget_of, *first)).reserve(Decimal("0.04"), 1)
    with pytest.raises(LimitReached) as stopped:
        await (await in_db(budget_of, *second)).reserve(Decimal("0.04"), 1)
    assert stopped.value.limit == "system"


async def test_without_a_reservation_no_call_is_made(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL cannot reserve: the turn goes back for another attempt, and the model was asked nothing."""
    reserve, asked_before = budgets._reserve, list[int]()

    def away(turn: Turn, totals: list[budgets.Total], usd: Decimal) -> Decimal:
        asked_before.append(len(rig.model.asked))
        if len(asked_before) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return reserve(turn, totals, usd)

    monkeypatch.setattr(budgets, "_reserve", away)
    rig.model.add(says("Hello. What can I do for you?"))
    turn = await rig.ask(await rig.begin(), "hello")
    assert turn.state == Turn.State.ANSWERED
    assert turn.attempt == 2
    assert asked_before[:2] == [0, 0], "asked only once it was reserved"
    assert len(rig.model.asked) == 1
