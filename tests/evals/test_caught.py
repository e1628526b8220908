"""What must not go live is caught: a prompt without its rules, tools that answer wrongly, nothing, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from support_agent.agent.prompts import prompt
from support_agent.agent.toolkit import Status, ToolContext, ToolResult
from support_agent.evals import prompts
from support_agent.evals.cases import suite
from support_agent.evals.run import Result, model_named, run_case
from support_agent.models import PromptVersion
from support_agent.runtime import tool_breakers
from support_agent.runtime.controls import forget
from support_agent.tools import ALL
from tickets.db import in_db

pytestmark = [pytest.mark.xdist_group("evals"), pytest.mark.usefixtures("evals_database")]
GOOD = prompt("assistant").text
Run = Callable[[ToolContext, Any], Any]


@contextmanager
def speaking(text: str) -> Iterator[None]:
    """This text is the assistant's prompt, put there as a run puts a version on trial."""
    prompts.put({"assistant": PromptVersion(name="assistant", number=7, text=text), "planner": None})
    try:
        yield
    finally:
        PromptVersion.objects.all().delete()
        forget()


async def results(*names: str) -> dict[str, Result]:
    async with model_named() as model:
        return {name: await run_case(suite(name)[0], model, is_demo=True) for name in names}


async def with_prompt(text: str, *names: str) -> dict[str, Result]:
    entered = speaking(text)
    await in_db(entered.__enter__)
    try:
        return await results(*names)
    finally:
        await in_db(entered.__exit__, None, None, None)


def without(*words: str) -> str:
    return "\n".join(line for line in GOOD.splitlines() if not any(word in line for word in words))


async def test_the_same_prompt_as_a_version_changes_nothing() -> None:
    found = await with_prompt(GOOD, "return-window", "cancel-and-confirm", "where-is-my-order")
    assert {result.status for result in found.values()} == {"passed"}


@pytest.mark.parametrize("text", [without("Cite"), f"{GOOD}\n- Never cite sources."])
async def test_a_prompt_that_cites_nothing(text: str) -> None:
    found = await with_prompt(text, "return-window", "where-is-my-order")
    assert any(failure.startswith("does not cite return-an-item") for failure in found["return-window"].failures)
    assert found["where-is-my-order"].status == "passed"


async def test_a_prompt_that_tells_proposals_as_done() -> None:
    found = await with_prompt(without("proposals"), "cancel-and-confirm", "return-window")
    assert "does not say “Confirm”" in found["cancel-and-confirm"].failures
    assert found["return-window"].status == "passed"


async def test_a_prompt_of_something_else() -> None:
    found = await with_prompt("You are a pirate. Be brief.", "cancel-and-confirm", "return-window")
    assert {result.status for result in found.values()} == {"failed"}


async def broken(monkeypatch: pytest.MonkeyPatch, tool: str, run: Run, case: str) -> Result:
    """The case while this is what the tool does."""
    monkeypatch.setitem(ALL, tool, replace(ALL[tool], run=run, fallbacks=()))
    try:
        return (await results(case))[case]
    finally:
        await in_db(tool_breakers.note, tool, failed=False)


async def test_a_tool_that_tells_of_another_parcel(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ALL["track_shipment"].run

    def run(context: ToolContext, arguments: Any) -> ToolResult:
        found = real(context, arguments)
        parcels = [{**parcel, "tracking_number": "APX0000000000"} for parcel in found.data["shipments"]]
        return replace(found, data={**found.data, "shipments": parcels})

    result = await broken(monkeypatch, "track_shipment", run, "where-is-my-order")
    assert any(failure.startswith("does not say “ALD") for failure in result.failures), result.failures


async def test_a_tool_that_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    result = await broken(monkeypatch, "track_shipment", lambda *_: None, "where-is-my-order")
    assert result.status == "failed"
    assert "could not" in result.answers[-1]  # told as what it is, and still not what the case expects


async def test_a_tool_that_only_says_that_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(context: ToolContext, arguments: Any) -> ToolResult:
        return ToolResult(Status.SUCCESS, {"message": "Cancelled."})

    result = await broken(monkeypatch, "cancel_order", run, "cancel-and-confirm")
    assert "actions: expected ['cancel_order done'], found none" in result.failures
    assert "paid_order.status: expected 'cancelled', found 'paid'" in result.failures


async def test_a_tool_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(context: ToolContext, arguments: Any) -> ToolResult:
        raise RuntimeError("out of order")

    result = await broken(monkeypatch, "search_knowledge_base", run, "return-window")
    assert any(failure.startswith("does not cite") for failure in result.failures)
