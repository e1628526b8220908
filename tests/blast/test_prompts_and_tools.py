"""A prompt's version and a tool on trial: what is drawn, what comes out otherwise, and what is only a mood."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from support_agent.agent.prompts import prompt
from support_agent.agent.toolkit import Status, ToolResult
from support_agent.llm.client import ModelClient
from support_agent.models import Replay, RunState, ToolCall
from support_agent.runtime.controls import forget
from support_agent.runtime.prompting import prompt_save
from support_agent.tools import ALL
from tests.blast.conftest import CARDS, RETURNS, Desk, verdicts
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.normal import Json
from tests.fakes.replies import Reply, says
from tests.fakes.scripted import DemoModel
from tests.runtime.conftest import client_of
from tickets.db import in_db

pytestmark = pytest.mark.timeout(120)
TRACK = "Where is my order AP-100002?"
CURT = "SAY NO MORE THAN: ask the shop."
MOODY = "You are in a mood."


class Obedient(DemoModel):
    """The demo model, but it does what its instructions say: to be curt, or to have a mood."""

    def __init__(self) -> None:
        super().__init__()
        self._moods = count(1)

    async def __call__(self, body: Json) -> Reply:
        if body.get("output_config"):
            return await super().__call__(body)
        if CURT in str(body["system"]):
            return says("Please ask the shop.")
        if MOODY in str(body["system"]):
            return says("Please ask " + "again and " * next(self._moods) + "again: I am in a mood.")
        return await super().__call__(body)


def obedient() -> ModelClient:
    return client_of(FakeMessagesAPI(Obedient()))


async def under(desk: Desk, **change: Any) -> Any:
    client = obedient()
    try:
        return await desk.under(client, **change)
    finally:
        await client.aclose()


async def test_a_version_of_a_prompt(desk: Desk) -> None:
    await desk.ask(RETURNS)
    await desk.ask(CARDS)
    await desk.ask(TRACK, desk.cast.owner)
    curt = await in_db(prompt_save, name="assistant", text=CURT, note="", staff=desk.cast.lead)
    radius = await under(desk, prompt=curt)
    assert (radius.state, radius.touched) == (RunState.DONE, 3)
    assert set((await in_db(verdicts, radius)).values()) == {"otherwise"}
    told = await in_db(
        lambda: set(Replay.objects.filter(radius=radius, is_baseline=False).values_list("text", flat=True))
    )
    assert told == {"Please ask the shop."}
    baselines = await in_db(lambda: list(Replay.objects.filter(radius=radius, is_baseline=True)))
    assert {one.prompt_version for one in baselines} == {"assistant:active"}

    one = await under(desk, prompt=curt, most=1)
    assert (one.touched, len(await in_db(verdicts, one))) == (3, 1)

    kinder = prompt("assistant").text + "\nBe kind."
    kind = await in_db(prompt_save, name="assistant", text=kinder, note="", staff=desk.cast.lead)
    same = await under(desk, prompt=kind)
    assert set((await in_db(verdicts, same)).values()) == {"same"}


async def test_a_disabled_tool_touches_those_who_needed_it(desk: Desk) -> None:
    await desk.ask(RETURNS)
    await desk.ask(TRACK, desk.cast.owner)
    used = await in_db(lambda: set(ToolCall.objects.values_list("tool", flat=True)))
    tool = next(name for name in ("lookup_order", "track_shipment") if name in used)
    radius = await under(desk, tool=tool)
    assert await in_db(verdicts, radius) == {TRACK: "otherwise"}
    steps = (await in_db(lambda: Replay.objects.get(radius=radius, is_baseline=False))).steps
    assert not [step for step in steps if step.get("tool") == tool and step["status"] == "success"]
    untouched = await under(desk, tool="request_refund")
    assert (untouched.state, untouched.touched) == (RunState.DONE, 0)


async def test_a_tool_as_its_code_is_here(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.ask(TRACK, desk.cast.owner)
    await desk.ask(RETURNS)
    as_it_was = await under(desk, tool="search_knowledge_base", tool_as="now")
    assert await in_db(verdicts, as_it_was) == {RETURNS: "same"}
    nothing = lambda *_: ToolResult(Status.NOT_FOUND, {"message": "Nothing."})  # noqa: E731
    monkeypatch.setitem(ALL, "search_knowledge_base", replace(ALL["search_knowledge_base"], run=nothing, fallbacks=()))
    broken = await under(desk, tool="search_knowledge_base", tool_as="now")
    assert await in_db(verdicts, broken) == {RETURNS: "otherwise"}


async def test_what_goes_otherwise_without_the_change_is_drift(desk: Desk) -> None:
    """A model that answers in another way each time says nothing about the change."""
    await desk.ask(RETURNS)
    search = ALL["search_knowledge_base"]
    moody = await in_db(prompt_save, name="assistant", text=MOODY, note="", staff=desk.cast.lead)
    await in_db(_speaks, moody)
    await desk.ask(CARDS)  # spoken by the moody version, but answered by the demo model itself
    radius = await under(desk, tool=search.name, tool_as="now")
    assert await in_db(verdicts, radius) == {RETURNS: "same", CARDS: "drift"}
    assert await in_db(Replay.objects.filter(radius=radius, is_baseline=True).count) == 1


def _speaks(version: Any) -> None:
    version.is_active = True
    version.save()
    forget()
