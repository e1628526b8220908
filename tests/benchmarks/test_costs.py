"""What the costs' section says follows from what was played, and a load that goes wrong is not told as a figure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import connection

from support_agent.agent.types import Usage
from support_agent.evals.world import World, throwaway_database, undisturbed
from support_agent.models import Turn
from tests.benchmarks.money import play
from tests.benchmarks.money.load import LENGTHS, SEED, seeded_load, ten_turns, turns_of
from tests.benchmarks.money.play import Disagree, Played, Way, played, remembering
from tests.benchmarks.money.tally import Call, alone, cost, longer, of_kind, on_model, share_read
from tests.fakes.messages_api import Served

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker

pytestmark = [pytest.mark.xdist_group("evals")]

SMALL, MEDIUM, LARGE = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
LONG = "You help the customers of a shop. " * 80


def call(model: str = MEDIUM, usage: Usage | None = None, *, goes_on: bool = False, **body: Any) -> Call:
    return Call(0, 0, {"model": model, **body}, usage or Usage(1_000_000), goes_on)


def asked(talk: int, step: int, words: str) -> Call:
    """A call with a system prompt that is marked."""
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    return Call(
        talk, step, {"model": SMALL, "system": system, "messages": [{"role": "user", "content": words}]}, Usage()
    )


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        if not connection.settings_dict["NAME"].startswith("test_"):
            with throwaway_database():
                yield
            return
        with undisturbed():
            yield
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)


def test_the_share_is_of_the_whole_prompt() -> None:
    calls = [call(usage=Usage(100, 50, 300, 100)), call(usage=Usage(0, 50, 500, 0))]
    assert share_read(calls) == 80.0
    assert share_read([]) == 0.0


def test_only_models_that_think_pay_for_it() -> None:
    assert cost([call()], thinking=0) == 2.0
    assert cost([call()], thinking=1_000_000) == 12.0
    assert cost([call(goes_on=True)], thinking=1_000_000) == 14.5
    assert cost([call(SMALL, Usage(1_000))], thinking=1_000_000) == cost([call(SMALL, Usage(1_000))], thinking=0)


def test_the_same_calls_of_another_model() -> None:
    calls = [call(tools=[{"name": "t"}]), call(SMALL, Usage(1_000), output_config={})]
    assert [one.kind for one in calls] == ["answer", "plan"]
    assert [one.model for one in on_model(calls, LARGE, "answer")] == [LARGE, SMALL]
    assert {one.model for one in on_model(calls, LARGE)} == {LARGE}
    assert cost(on_model(calls, LARGE, "answer"), thinking=0) == pytest.approx(4.0001)
    assert longer([call(usage=Usage(1, 10))], 3)[0].usage == Usage(1, 30)


def test_a_cold_cache_is_written_by_each_conversation_or_step() -> None:
    calls = [asked(0, 0, "One."), asked(0, 1, "Two."), asked(1, 0, "Three.")]
    assert [one.usage.cache_read_tokens > 0 for one in alone(calls)] == [False, True, False]
    assert not any(one.usage.cache_read_tokens for one in alone(calls, each_step=True))


def test_the_load_is_the_same_every_time_and_as_long_as_it_says() -> None:
    once, again = seeded_load(), seeded_load()
    assert [case.model_dump() for case in once] == [case.model_dump() for case in again]
    assert tuple(map(turns_of, once)) == LENGTHS
    assert len({str(case.steps) for case in once}) > len(once) / 2
    assert len({case.customer for case in once}) == 4
    assert SEED


def test_a_turn_goes_on_when_the_next_request_begins_like_it() -> None:
    question = {"role": "user", "content": "Where is it?"}
    looked = [question, {"role": "assistant", "content": "I look."}, {"role": "user", "content": "It is there."}]
    bodies: list[dict[str, Any]] = [{"messages": [question]}, {"messages": looked}, {"messages": [looked[2]]}]
    found = play._calls(0, 0, [Served(body) for body in bodies])
    assert [one.goes_on for one in found] == [True, False, False]
    assert play._calls(0, 1, []) == []  # a click


async def test_every_cent_is_the_apis_and_routing_is_what_makes_the_difference(database: None) -> None:
    cases = seeded_load(lengths=(1, 2))
    routed, medium = await played(cases), await played(cases, Way(routes=False))
    assert (routed.conversations, routed.turns, routed.resolved) == (2, 3, 2)
    assert {one.model for one in of_kind(medium.calls, "answer")} == {MEDIUM}
    assert len(of_kind(medium.calls, "plan")) == medium.turns > len(of_kind(routed.calls, "plan"))
    assert any(one.goes_on for one in of_kind(medium.calls, "answer"))
    assert cost(routed.calls) < cost(medium.calls)


async def test_the_history_is_read_from_the_cache(database: None) -> None:
    ten = ten_turns()
    few = ten.model_copy(update={"steps": ten.steps[:4]})
    marked = await played([few], Way(routes=False))
    unmarked = await played([few], Way(routes=False, marks_history=False))
    assert share_read(marked.calls) > share_read(unmarked.calls) > 40
    assert cost(marked.calls, thinking=0) < cost(unmarked.calls, thinking=0)


async def test_a_long_conversation_is_compressed_unless_it_is_switched_off(database: None) -> None:
    ten = ten_turns()
    one = [ten.model_copy(update={"steps": ten.steps[:1]})]
    before = remembering(24_500)
    short = await played(one, before=before)
    whole = await played(one, Way(compresses=False), before=before)
    assert (len(of_kind(short.calls, "memory")), len(of_kind(whole.calls, "memory"))) == (1, 0)
    prompts = [max(one.usage.prompt_tokens for one in of_kind(some.calls, "answer")) for some in (short, whole)]
    assert prompts[0] < prompts[1] * 0.8


async def test_other_accounts_than_the_apis_end_the_run(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(found: Played, world: World, charged: Decimal) -> None:
        Turn.objects.filter(conversation=world.conversation).update(cost_usd=charged + Decimal("0.000001"))
        noted(found, world, charged)

    noted = play._noted
    monkeypatch.setattr(play, "_noted", wrong)
    with pytest.raises(Disagree, match="the API charged"):
        await played(seeded_load(lengths=(1,)))
