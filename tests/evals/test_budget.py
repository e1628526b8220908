"""The budget is never passed: not by one case more, not by one call more, not by several at once."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from support_agent.agent.types import ModelFailure, ModelPort, ModelReply, ModelRequest, OnText, Spend, Tier
from support_agent.evals.cases import Case, suite
from support_agent.evals.purse import CUT, OVER, Metered, Purse
from support_agent.evals.run import Result, model_named, run_cases
from support_agent.evals.summary import Report

pytestmark = pytest.mark.xdist_group("evals grading")
REQUEST = ModelRequest(Tier.SMALL, "", [], 100)


class Priced:
    """The demo model at whatever price: `cost` a call, `worst` feared of it."""

    def __init__(self, inner: ModelPort | None, cost: str, worst: str) -> None:
        self._inner, self._cost, self._worst = inner, Decimal(cost), Decimal(worst)
        self.paid, self.running, self.most_running = Decimal(0), 0, 0

    def model_id(self, tier: Tier) -> str:
        return self._inner.model_id(tier) if self._inner else "priced"

    def worst_case_usd(self, request: ModelRequest) -> Decimal:
        return self._worst

    async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0)
            self.paid += self._cost
            if self._inner is None:
                return ModelReply("priced", [], "end_turn", Spend(cost_usd=self._cost), 1)
            reply = await self._inner.call(request, on_text)
            return ModelReply(reply.model, reply.content, reply.stop_reason, Spend(reply.spend.usage, self._cost), 1)
        finally:
            self.running -= 1


@pytest.fixture
def cases(evals_database: None) -> list[Case]:
    """Four that need some calls each, and may cost 0.10."""
    names = ("where-is-my-order", "not-shipped-yet", "what-did-i-order", "a-late-parcel")
    return [case for name in names for case in suite(name)]


async def run(cases: list[Case], budget: str, cost: str, worst: str, repeat: int = 1) -> tuple[list[Result], Priced]:
    async with model_named() as demo:
        model = Priced(demo, cost, worst)
        purse = Purse(Decimal(budget))
        return await run_cases(cases, model, is_demo=False, purse=purse, repeat=repeat), model


async def test_no_case_starts_that_could_pass_it(cases: list[Case]) -> None:
    results, model = await run(cases, budget="0.25", cost="0.04", worst="0.04")
    statuses = [result.status for result in results]
    assert statuses.count("skipped") >= 1
    assert statuses.count("passed") >= 2
    assert Decimal("0.15") < model.paid <= Decimal("0.25")
    left_out = [result for result in results if result.is_cut]
    assert {result.failures for result in left_out} == {(OVER,)}
    report = Report(results, model="claude-sonnet-5-5", thresholds={"pass": 0.5}, budget_usd=Decimal("0.25"))
    assert report.over_budget == len(left_out)
    assert (report.missed, report.is_passed) == ([], False)


async def test_a_call_that_could_pass_it_does_not_go_out(cases: list[Case]) -> None:
    (result, *_), model = await run(cases[:1], budget="0.11", cost="0.06", worst="0.06")
    assert (result.status, result.failures, result.is_cut, result.runs) == ("skipped", (CUT,), True, 0)
    assert model.paid == Decimal("0.06")
    assert result.cost_usd == Decimal("0.06")  # what a case cost that is not judged is paid all the same


async def test_repetitions_need_room_for_all_of_them(cases: list[Case]) -> None:
    (result, *_), model = await run(cases[:1], budget="0.19", cost="0.001", worst="0.001", repeat=2)
    assert (result.failures, model.paid) == ((OVER,), Decimal(0))


async def test_calls_at_once_reserve_what_they_may_cost() -> None:
    model, purse = Priced(None, cost="0.01", worst="0.04"), Purse(Decimal("0.10"))
    async with purse.room(Decimal("0.10")) as room:
        assert room is not None
        ports = [Metered(model, purse, room) for _ in range(5)]
        ended = await asyncio.gather(*(port.call(REQUEST) for port in ports), return_exceptions=True)
        assert model.most_running == 2
        assert sum(isinstance(one, ModelFailure) for one in ended) == sum(port.cut for port in ports) == 3
        assert purse.spent == model.paid == Decimal("0.02")
        assert room.left == Decimal("0.08")


async def test_what_is_broken_off_counts_as_spent() -> None:
    class Slow(Priced):
        async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
            await asyncio.sleep(60)
            raise AssertionError

    purse = Purse(Decimal(1))
    async with purse.room(Decimal(1)) as room:
        assert room is not None
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(Metered(Slow(None, "0.01", "0.04"), purse, room).call(REQUEST), 0.01)
    assert purse.spent == Decimal("0.04")


async def test_who_waits_for_room_gets_it_when_another_leaves_some() -> None:
    purse, order = Purse(Decimal("0.15")), []

    async def case(name: str, spends: str) -> None:
        async with purse.room(Decimal("0.10")) as room:
            order.append((name, room is not None))
            if room is not None:
                await asyncio.sleep(0)
                assert purse.take(Decimal(spends))
                purse.give(room, Decimal(spends), Decimal(spends))

    await asyncio.gather(case("first", "0.03"), case("second", "0.05"), case("third", "0.01"))
    assert order == [("first", True), ("second", True), ("third", False)]


@pytest.mark.usefixtures("evals_database")
async def test_beside_the_free_demo_model_only_who_plays_the_customers_is_paid() -> None:
    """A case without a simulated customer costs nothing, and needs no room; a simulated one's own calls are cut."""
    (plain,) = suite("where-is-my-order")
    played = suite("simulated")[0]
    async with model_named() as demo:
        player = Priced(None, "0.06", "0.06")
        results = await run_cases(
            [plain, played], demo, is_demo=True, purse=Purse(Decimal("0.05")), player=player, parallel=1
        )
        assert [(result.status, result.failures) for result in results] == [("passed", ()), ("skipped", (OVER,))]
        purse = Purse(Decimal("0.11"))
        (result,) = await run_cases([played], demo, is_demo=True, purse=purse, player=player)
    assert (result.status, result.failures) == ("skipped", (CUT,))
    assert purse.spent == player.paid == Decimal("0.06")
