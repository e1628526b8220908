"""A runner that dies with kill -9: another takes its turn over within seconds and goes on from the last step."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from support_agent.models import Step, ToolCall, Turn
from tests.fakes.replies import Reply, calls, hangs, plans, says
from tests.runtime.conftest import begin, ended, post
from tests.runtime.test_answers import PLAN
from tests.stack import free_port
from tickets.db import in_db
from tickets.models import Conversation, Event, Message, Ticket
from tickets.selectors.conversations import events_after

pytestmark = pytest.mark.timeout(180)  # real processes, on a machine that may be busy
ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = "The strap of my new backpack is torn, what can be done about it? Write to someone@example.com."
TICKET = {
    "customer_email": "someone@example.com",
    "subject": "A strap is torn",
    "body": "The strap of my backpack is torn.",
    "priority": "low",
    "category": "product",
}


@dataclass
class Processes:
    """A fake of the Messages API and runners, each a real process."""

    port: int
    environment: dict[str, str]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=self.environment)
        self.started.append(process)
        return process

    def runner(self, *options: str) -> subprocess.Popen[bytes]:
        return self.start("manage.py", "run_agents", *options)

    def script(self, *replies: Reply) -> None:
        body = json.dumps([asdict(reply) for reply in replies]).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/_fake/script", data=body)
        urllib.request.urlopen(request, timeout=5).close()

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_fake/stats", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


async def until(check: Callable[[], bool], seconds: float = 45.0) -> None:
    async with asyncio.timeout(seconds):
        while not await in_db(check):  # noqa: ASYNC110  # it happens in other processes
            await asyncio.sleep(0.05)


@pytest.fixture
async def processes(transactional_db: None) -> AsyncIterator[Processes]:
    port = free_port()
    database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        **os.environ,
        "DATABASE_URL": urlunsplit(database),
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "support_agent.settings",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        "ANTHROPIC_API_KEY": "test-key",
        "EMAIL_URL": "",
        "EMBEDDER": "none",  # nothing is searched by meaning here, and loading the model takes seconds
    }
    found = Processes(port, environment)
    found.start("-m", "tests.fakes.server", "--port", str(port))

    def up() -> bool:
        try:
            return bool(found.stats())
        except OSError:
            return False

    await until(up)
    yield found
    for process in found.started:
        process.kill()
        process.wait()


def steps(kind: str) -> int:
    return Step.objects.filter(kind=kind, status__in=["ok", "success"]).count()


async def test_another_runner_goes_on_from_the_last_step(processes: Processes) -> None:
    processes.script(plans(PLAN), calls("create_ticket", TICKET), hangs(after=3))
    first = processes.runner()
    conversation = await in_db(begin)
    submitted = await in_db(post, conversation, WORDS)
    assert submitted.turn is not None
    await until(lambda: steps("tool_call") == 1 and processes.stats()["served"] == 3)

    processes.script(says("I have written that down for our team."))
    second = processes.runner()
    first.send_signal(signal.SIGKILL)
    turn = await ended(submitted.turn, 45)

    assert (turn.state, turn.attempt) == ("answered", 2)
    assert await in_db(lambda: (steps("plan"), steps("tool_call"), steps("model_call"))) == (1, 1, 2)
    assert await in_db(lambda: (Ticket.objects.count(), ToolCall.objects.count())) == (1, 1)
    answers = await in_db(lambda: list(Message.objects.filter(role="assistant").values_list("text", flat=True)))
    assert answers == ["I have written that down for our team."]
    events = await in_db(events_after, conversation.pk, 0)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert processes.stats()["refusals"] == []
    second.terminate()
    assert second.wait(25) == 0


async def test_a_runner_told_to_stop_hands_back_what_it_cannot_finish(processes: Processes) -> None:
    processes.script(plans(PLAN), hangs(after=3))
    first = processes.runner("--grace", "0.5")
    conversation = await in_db(begin)
    submitted = await in_db(post, conversation, WORDS)
    assert submitted.turn is not None
    await until(lambda: processes.stats()["served"] == 2)
    first.terminate()
    assert first.wait(25) == 0
    cut = await in_db(Step.objects.get, status="cut")
    assert cut.cost_estimated
    assert cut.cost_usd > 0
    processes.script(says("Here I am."))
    processes.runner()
    turn = await ended(submitted.turn, 45)
    assert (turn.state, turn.attempt) == ("answered", 2)
    assert await in_db(lambda: steps("plan")) == 1


async def test_a_turn_that_kills_every_runner_fails_visibly(processes: Processes) -> None:
    conversation = await in_db(begin)
    submitted = await in_db(post, conversation, "Hello")
    assert submitted.turn is not None
    await in_db(lambda: Turn.objects.update(state="running", owner="a dead one", attempt=5))
    processes.runner()
    turn = await ended(submitted.turn, 45)
    assert turn.state == "failed"
    last = await in_db(lambda: Event.objects.filter(conversation=conversation).latest("seq"))
    assert last.payload["state"] == "failed"
    assert (await in_db(Conversation.objects.get, pk=conversation.pk)).status == "ai"
