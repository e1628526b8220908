"""Evaluation runs on recorded traffic: the engine of today still says what it said when tests/data was recorded."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pydantic import SecretStr

from support_agent.agent.config import EngineConfig
from support_agent.agent.prompts import named, prompt
from support_agent.env import env
from support_agent.evals import clock
from support_agent.evals.cases import Case, suite
from support_agent.evals.cassettes import replayed, wired
from support_agent.evals.hiding import SHOP
from support_agent.evals.run import Result, run_cases
from support_agent.llm.client import build_client
from support_agent.llm.recorded import ReplayError, recording
from support_agent.tools import ALL
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.normal import Json
from tests.fakes.replies import Reply, overloaded, rate_limited
from tests.fakes.scripted import DemoModel
from tests.fakes.server import serving

pytestmark = [pytest.mark.xdist_group("evals")]

CASSETTE = Path(__file__).parent.parent / "data" / "recorded.jsonl"
FILE = "tests/evals/test_recorded_runs.py"
RENEW = f"WRITE_CASSETTE=1 .venv/bin/python -m pytest -q -p no:xdist {FILE}"
NAMES = ("where-is-my-order", "cancel-and-confirm", "a-card-number-is-not-repeated", "return-one-item")
TIERS = {"small": "claude-haiku-5-5", "medium": "claude-sonnet-5-5", "large": "claude-opus-5-5"}
THEN = datetime(2026, 10, 14, 17, 30, tzinfo=UTC)  # a Wednesday, in office hours


class Troubled:
    """The demo model behind the strict API, on a day with trouble: some calls, counted from 1, come out otherwise."""

    def __init__(self) -> None:
        self.calls, self._demo = 0, DemoModel()

    async def __call__(self, body: Json) -> Reply:
        self.calls += 1
        match self.calls:
            case 1:
                return rate_limited("1")
            case 4:
                return overloaded()
            case 7:
                return (await self._demo(body)).ends("cut", after=1)
        return await self._demo(body)


def cases() -> list[Case]:
    return [case for name in NAMES for case in suite(name)]


async def run(cases: list[Case], **options: Any) -> list[Result]:
    model = build_client(**wired(api_key="test-key", **TIERS, **options))
    try:
        return await run_cases(cases, model, is_demo=True, parallel=1)
    finally:
        await model.aclose()


async def no_pause(_: float) -> None: ...


async def record(path: Path, cases: list[Case]) -> FakeMessagesAPI:
    api = FakeMessagesAPI(Troubled())
    about = {"tiers": TIERS, "renew": RENEW}
    with clock.movable(), clock.moved_to(THEN), recording(path, api.transport(), hiding=SHOP, about=about):
        results = await run(cases, sleep=no_pause)
    assert [result.failures for result in results if result.status != "passed"] == []
    return api


@pytest.mark.usefixtures("evals_database")
async def test_todays_engine_makes_the_recorded_calls() -> None:
    """Fails with what has changed and the command that records anew: run it, read the difference, commit both."""
    if os.environ.get("WRITE_CASSETTE"):
        await record(CASSETTE, cases())
    with replayed(CASSETTE) as tape:
        results = await run(cases())
    assert [(result.case.id, result.status) for result in results] == [(name, "passed") for name in NAMES]
    kept = [exchange.response for thread in tape.cassette.threads for exchange in thread.exchanges]
    assert sorted(response["status"] for response in kept if response["status"] != 200) == [429, 529]
    assert [response["headers"].get("retry-after") for response in kept if response["status"] == 429] == ["1"]
    assert [response["end"] for response in kept if response["end"] != "whole"] == ["RemoteProtocolError"]


@pytest.mark.usefixtures("evals_database")
async def test_several_at_once_at_any_time() -> None:
    """A recording of another day and hour, replayed now and side by side."""
    with replayed(CASSETTE):
        model = build_client(**wired(api_key=""))
        results = await run_cases(cases(), model, is_demo=True, parallel=4)
    assert {result.status for result in results} == {"passed"}


@pytest.mark.usefixtures("evals_database")
async def test_a_changed_prompt_and_a_changed_tool_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {name: named(name, "9", f"{prompt(name).text} Be brief.") for name in ("planner", "assistant")}
    monkeypatch.setattr(EngineConfig, "prompt", lambda self, name: changed.get(name) or prompt(name))
    monkeypatch.setitem(ALL, "track_shipment", replace(ALL["track_shipment"], description="See where parcels are."))
    with pytest.raises(ReplayError) as error:
        await _replayed()
    told = str(error.value)
    assert "cancel-and-confirm, call 1:" in told or "and 1 more:" in told or "and 2 more:" in told
    assert f"system prompt changed ({prompt('planner').version} → prompt-" in told
    assert f"system prompt changed ({prompt('assistant').version} → prompt-" in told
    assert "tool track_shipment changed (" in told
    assert told.endswith(RENEW)


async def _replayed() -> None:
    with replayed(CASSETTE):
        await run(cases())


@pytest.mark.usefixtures("evals_database")
async def test_nobody_of_the_cases_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "made.jsonl"
    api = await record(path, cases())
    sent = str([served.body for served in api.served])
    written = path.read_text(encoding="utf-8")
    for value in ("Olivia", "12 Fir Street", "97205", "owner.", "AP-7", "ALD42", "4242", "test-key"):
        assert value not in written, value
    assert all(value in sent for value in ("Olivia", "12 Fir Street", "owner.", "AP-7"))  # it was there to be hidden


def test_a_cassette_of_the_repository_is_small_and_says_what_it_is() -> None:
    assert CASSETTE.stat().st_size < 100_000
    head = CASSETTE.read_text(encoding="utf-8").splitlines()[0]
    assert '"cassette": 1' in head
    assert "assistant-" in head


@contextmanager
def api_running(api: FakeMessagesAPI) -> Iterator[str]:
    """The fake API on a real port, in a thread: the command has an event loop of its own."""
    ready, address, loop = threading.Event(), [""], asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(api) as address[0]:
            ready.set()
            await done.wait()

    done = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


def command(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("run_evals", *words, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.mark.usefixtures("evals_database")
def test_record_and_replay_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support_agent.evals.session.throwaway_database", nullcontext)  # it is one here
    path, api = tmp_path / "run.jsonl", FakeMessagesAPI(DemoModel())
    with api_running(api) as base_url:
        there = env.model_copy(update={"anthropic_base_url": base_url, "anthropic_api_key": SecretStr(api.api_key)})
        for module in ("evals.run", "runtime.eval_runs"):
            monkeypatch.setattr(f"support_agent.{module}.env", there)
        code, out, err = command(
            "where-is-my-order", "--model", "claude-sonnet-5-5", "--budget", "1", "--record", str(path), "--no-record"
        )
    assert code == 0, out + err
    assert api.requests
    code, replayed_out, err = command("--replay", str(path))
    assert code == 0, replayed_out + err
    assert "where-is-my-order" in replayed_out
    assert "1 passed" in replayed_out
    changed = path.read_text(encoding="utf-8").replace('"max_tokens": 1500', '"max_tokens": 1400')
    path.write_text(changed, encoding="utf-8")
    code, _, err = command("--replay", str(path))
    assert code == 1
    assert "where-is-my-order, call 1:\n  max_tokens: 1400 → 1500" in err
    assert f'make evals ARGS="where-is-my-order --model claude-sonnet-5-5 --record {path}"' in err


@pytest.mark.django_db  # pytest-django makes the database for who asks for it so
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--record", "x.jsonl"], "--record needs a real --model"),
        (["--replay", "nowhere.jsonl"], "nowhere.jsonl cannot be read: No such file"),
        (["--replay", str(CASSETTE), "--repeat", "2"], "--replay goes by what was recorded"),
        (["--replay", str(CASSETTE)], "was not recorded by run_evals"),
    ],
)
def test_a_wrong_word_is_exit_code_2(words: list[str], says: str) -> None:
    code, _, err = command(*words)
    assert code == 2
    assert says in err
