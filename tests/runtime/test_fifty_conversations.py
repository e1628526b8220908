"""The whole product against the strict fake: fifteen conversations of four turns, in customers' own words; fifty in
`make faults`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from django.db.models import Sum
from django.utils import timezone

from support_agent.agent.types import StepKind
from support_agent.models import Spend, Step, Turn
from support_agent.runtime.runner import Runner
from tests.cast import make_cast, make_order
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.scripted import DemoModel
from tests.runtime.conftest import begin, client_of, post
from tickets.db import in_db
from tickets.demo.articles import load_articles
from tickets.models import Action, Conversation, Message, Order, Shipment
from tickets.selectors.conversations import events_after

PHRASINGS = Path(__file__).parents[1] / "data" / "demo_phrasings.yaml"
TURNS = 4
ENDED = {Turn.State.ANSWERED, Turn.State.ESCALATED}


def scripts(count: int) -> list[list[str]]:
    """What each conversation's customer writes: whole dialogues of the file first, then single phrasings."""
    cases = yaml.safe_load(PHRASINGS.read_text("utf-8"))
    dialogues = [[*case["before"], case["text"]] for case in cases if case.get("before")]
    singles = [case["text"] for case in cases if not case.get("before")]
    chance = Random(4)
    chance.shuffle(dialogues)
    chance.shuffle(singles)
    begun = [dialogues.pop() if number % 2 else [] for number in range(count)]
    return [[*lines, *(singles.pop() for _ in range(TURNS))][:TURNS] for lines in begun]


def seed(count: int) -> list[Conversation]:
    """The shop the phrasings speak of; every third conversation is a stranger's."""
    cast = make_cast()
    load_articles()
    shipped = make_order(cast.owner, "AP-104233", Order.Status.SHIPPED, days_ago=4)
    Shipment.objects.create(
        order=shipped,
        tracking_number="ALD1000000233",
        carrier="Cascade Post",
        status=Shipment.Status.IN_TRANSIT,
        estimated_delivery=timezone.now().date() + timedelta(days=3),
    )
    make_order(cast.owner, "AP-104120", Order.Status.DELIVERED, days_ago=19, delivered_days_ago=14)
    make_order(cast.owner, "AP-104301", Order.Status.PAID, days_ago=1)
    make_order(cast.owner, "AP-103877", Order.Status.DELIVERED, days_ago=60, delivered_days_ago=50)
    people = [cast.owner, None, cast.owner, cast.business, None, cast.other]
    return [begin(people[number % len(people)]) for number in range(count)]


def all_ended(turns: list[Any]) -> bool:
    return not Turn.objects.filter(pk__in=turns).exclude(state__in=[*ENDED, Turn.State.FAILED]).exists()


def accepted_texts(turn: Turn) -> Iterator[str]:
    """The texts of the turn's model calls that the critic did not drop."""
    steps = list(turn.steps.order_by("attempt", "index"))
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        dropped = after is not None and after.kind == StepKind.CRITIC and after.status == "failed"
        if step.kind == StepKind.MODEL_CALL and step.status == "ok" and not dropped:
            text = "".join(block["text"] for block in step.output["content"] if block["type"] == "text").strip()
            if text:
                yield text


def check_conversation(conversation: Conversation) -> None:
    """Gap-free events, one answer a turn with every accepted word in it, and its turn's event last."""
    events = events_after(conversation.pk, 0, limit=1000)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    turns = list(Turn.objects.filter(conversation=conversation).order_by("created_at"))
    assert len(turns) == TURNS
    assert [event["turn_id"] for event in events if event["type"] == "turn"] == [str(turn.pk) for turn in turns]
    for turn in turns:
        assert turn.state in ENDED, turn.error
        said = Message.objects.get(turn_id=turn.pk, role=Message.Role.ASSISTANT)
        whole = "\n\n".join(accepted_texts(turn))
        assert whole
        assert said.text == whole or (turn.state == Turn.State.ESCALATED and said.text.startswith(whole))
        assert len(said.text) <= 2000
        cited = {int(source["n"]) for source in said.sources}
        assert all(f"[{number}]" in said.text for number in cited)
        assert [step.index for step in turn.steps.order_by("index")] == list(range(turn.step_count))


def check_money(api: FakeMessagesAPI) -> None:
    """Every cent that the API charged stands in the steps, the turns and the totals, and nothing stays reserved."""
    by_step = Step.objects.aggregate(cost=Sum("cost_usd"))["cost"]
    by_turn = Turn.objects.aggregate(cost=Sum("cost_usd"))["cost"]
    by_total = Spend.objects.filter(scope="conversation").aggregate(cost=Sum("spent_usd"))["cost"]
    assert api.charged_usd == by_step == by_turn == by_total > Decimal(0)
    assert Spend.objects.aggregate(left=Sum("reserved_usd"))["left"] == 0
    assert not Turn.objects.exclude(reservation=None).exists()


@pytest.mark.timeout(280)
@pytest.mark.parametrize("count", [15, pytest.param(50, marks=pytest.mark.faults)])
async def test_conversations_of_four_turns(
    count: int, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    api = FakeMessagesAPI(DemoModel())
    runner = Runner(model=client_of(api))
    conversations = await in_db(seed, count)
    running = asyncio.create_task(runner.run())
    started, cpu = time.monotonic(), time.process_time()
    lines = scripts(count)
    for number in range(TURNS):
        turns = []
        for conversation, said in zip(conversations, lines, strict=True):
            submitted = await in_db(post, conversation, said[number])
            assert submitted.turn is not None
            turns.append(submitted.turn.pk)
        async with asyncio.timeout(60):
            while not await in_db(all_ended, turns):  # noqa: ASYNC110  # as its customers would see it
                await asyncio.sleep(0.1)
    seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    runner.stop()
    await running
    assert [refused.message for refused in api.refusals] == []
    for conversation in conversations:
        await in_db(check_conversation, conversation)
    await in_db(check_money, api)
    states = await in_db(lambda: list(Turn.objects.values_list("state", flat=True)))
    escalated = states.count(Turn.State.ESCALATED)
    dropped = await in_db(Step.objects.filter(kind=StepKind.CRITIC, status="failed").count)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{count} conversations: {len(states)} turns in {seconds:.1f} s ({cpu:.1f} s CPU), "
            f"{len(api.served)} calls, {api.charged_usd:.4f} USD, "
            f"{escalated} escalated, {dropped} calls dropped by the critic"
        )
    assert await in_db(Action.objects.exists)
    assert len(states) == count * TURNS
    assert cpu < 40  # CPU, for a loaded machine is no fault of ours
