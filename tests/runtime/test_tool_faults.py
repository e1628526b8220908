"""A tool that raises, hangs, answers 10 MB or nothing harms no turn; its breaker spares everybody the wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis
from django.conf import settings

from support_agent.agent.toolkit import Arguments, Category, Status, Tool, ToolContext, ToolError, ToolResult
from support_agent.agent.types import ToolUse
from support_agent.models import ToolCall, Turn
from support_agent.runtime import tool_breakers
from support_agent.runtime.claims import claim
from support_agent.runtime.toolbox import Toolbox
from tests.runtime.conftest import begin, post
from tickets.db import in_db

Run = Callable[[ToolContext, Any], Any]
OK = ToolResult(Status.SUCCESS, {"answer": 42})
USE = ToolUse("toolu_1", "probe", {})


@pytest.fixture
async def turn(transactional_db: None) -> Turn:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete(*[f"breaker:probe:{name}" for name in ("failures", "open", "tripped", "probe")])

    def make() -> Turn:
        post(begin(), "Hello")
        [found] = claim("one", 1)
        return found

    return await in_db(make)


def tool(run: Run, **fields: Any) -> Tool:
    made = Tool("probe", "Use when tested.", Arguments, run, Category.LOOKUP, "Probing …", timeout_s=0.5)
    return replace(made, **fields)


async def call(turn: Turn, run: Run, *, use: ToolUse = USE, **fields: Any) -> dict[str, Any]:
    return await Toolbox({"probe": tool(run, **fields)}, turn).call(use, ["probe"])


async def test_a_tool_that_raises(turn: Turn) -> None:
    def bug(*_: Any) -> ToolResult:
        raise ZeroDivisionError("secret detail")

    result = await call(turn, bug)
    assert (result["status"], result["retryable"]) == ("error", False)
    assert "secret" not in str(result)
    assert await in_db(lambda: ToolCall.objects.get().status) == "error"


async def test_a_tool_that_hangs(turn: Turn) -> None:
    def hang(*_: Any) -> ToolResult:
        time.sleep(1.5)
        return OK

    started = time.monotonic()
    result = await call(turn, hang, timeout_s=0.15)
    assert time.monotonic() - started < 1.2
    assert result["status"] == "error"


async def test_a_success_that_holds_nothing(turn: Turn) -> None:
    """Read as “there is none” it would be a lie: it is a failure like any other."""
    result = await call(turn, lambda *_: ToolResult(Status.SUCCESS))
    assert (result["status"], result["retryable"]) == ("error", False)


async def test_a_tool_that_answers_ten_megabytes(turn: Turn) -> None:
    rows = [{"n": n, "text": "x" * 1000} for n in range(10_000)]
    result = await call(turn, lambda *_: ToolResult(Status.SUCCESS, {"rows": rows}))
    assert len(str(result)) < 15_000
    assert result["more"] + len(result["rows"]) == 10_000
    result = await call(
        turn, lambda *_: ToolResult(Status.SUCCESS, {"text": "y" * 10_000_000}), use=replace(USE, id="2")
    )
    assert len(str(result)) < 15_000


async def test_a_tool_that_answers_nothing(turn: Turn) -> None:
    assert (await call(turn, lambda *_: None))["status"] == "error"


async def test_a_passing_failure_is_tried_again(turn: Turn) -> None:
    answers: list[Any] = [ToolError("try again", retryable=True), OK]

    def sometimes(*_: Any) -> ToolResult:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, ToolResult)
        return answer

    assert (await call(turn, sometimes))["answer"] == 42


async def test_a_lesser_way_answers_degraded(turn: Turn) -> None:
    def down(*_: Any) -> ToolResult:
        raise ToolError("the warehouse does not answer", retryable=False)

    result = await call(turn, down, fallbacks=(down, lambda *_: OK))
    assert (result["status"], result["answer"]) == ("degraded", 42)


async def test_five_failures_open_the_breaker_and_one_probe_closes_it(turn: Turn) -> None:
    calls = 0

    def down(*_: Any) -> ToolResult:
        nonlocal calls
        calls += 1
        raise ToolError("down", retryable=False)

    for n in range(5):
        await call(turn, down, use=replace(USE, id=f"a{n}"))
    assert await in_db(tool_breakers.state_of, "probe") == "open"
    result = await call(turn, down, use=replace(USE, id="b"))
    assert (result["status"], calls) == ("degraded", 5)
    redis.Redis.from_url(settings.REDIS_URL).delete("breaker:probe:open")  # as if a minute had passed
    assert await in_db(tool_breakers.state_of, "probe") == "half_open"
    assert await in_db(tool_breakers.may_call, "probe")
    assert not await in_db(tool_breakers.may_call, "probe")  # one probe at a time
    await in_db(tool_breakers.note, "probe", failed=False)
    assert await in_db(tool_breakers.state_of, "probe") == "closed"


async def test_a_resumed_call_is_not_made_twice(turn: Turn) -> None:
    made: list[int] = []

    def act(*_: Any) -> ToolResult:
        made.append(1)
        return OK

    first = await call(turn, act, category=Category.TICKET)
    again = await call(turn, act, use=replace(USE, id="toolu_other"), category=Category.TICKET)
    assert first == again
    assert len(made) == 1
