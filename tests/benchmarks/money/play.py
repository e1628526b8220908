"""Playing the load: the real engine, runtime and prompts over a real database, the demo model behind the fake API."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import cycle
from unittest.mock import patch

from django.db import transaction
from django.db.models import Sum

from support_agent.agent.memory import estimate
from support_agent.agent.types import ModelRequest, Tier
from support_agent.evals.cases import Case
from support_agent.evals.play import play
from support_agent.evals.world import World, build, clear
from support_agent.llm.client import ModelClient, ModelConfig
from support_agent.llm.request import build_body
from support_agent.models import Turn
from tests.benchmarks.money.tally import Call, Json
from tests.fakes.messages_api import FakeMessagesAPI, Served
from tests.fakes.normal import merged, plain
from tests.fakes.replies import Reply
from tests.fakes.scripted import DemoModel
from tickets.db import in_db
from tickets.events import event_append
from tickets.models import Article, Conversation, Message

MODELS = {Tier.SMALL: "claude-haiku-5-5", Tier.MEDIUM: "claude-sonnet-5-5", Tier.LARGE: "claude-opus-5-5"}
PACE_S = 45.0  # from one step of a customer to the next, by the fake's clock
GAP_S = 20.0  # from one conversation to the next: a busy desk
NEVER = 10**9  # tokens


@dataclass(frozen=True, slots=True)
class Way:
    """What is switched off; by default nothing is."""

    routes: bool = True  # else no fast path, and each answer from the medium model
    compresses: bool = True
    marks_history: bool = True  # else the only breakpoints are after the system prompt and after the last message


@dataclass(slots=True)
class Played:
    """What came of a load."""

    calls: list[Call] = field(default_factory=list)
    turns: int = 0
    conversations: int = 0
    resolved: int = 0


class Disagree(AssertionError):
    """Our steps say another cost than the API charged."""


class Clock:
    """Seconds that pass when we say so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Answering(DemoModel):
    """The demo model; without routing its plans are all of medium complexity."""

    def __init__(self, way: Way) -> None:
        super().__init__()
        self._way = way

    async def __call__(self, body: Json) -> Reply:
        reply = await super().__call__(body)
        if self._way.routes or "output_config" not in body:
            return reply
        written = {**json.loads(reply.content[0]["text"]), "complexity": "medium"}
        return replace(reply, content=[{"type": "text", "text": json.dumps(written)}])


async def played(
    cases: Sequence[Case], way: Way | None = None, *, before: Callable[[World], None] | None = None
) -> Played:
    """Each conversation after the other. Raises Disagree; `before` writes what was said before the first step."""
    way = way or Way()
    found, clock = Played(), Clock()
    api = FakeMessagesAPI(Answering(way), clock=clock)
    async with _client(api) as client:
        with switched(way):
            for talk, case in enumerate(cases):
                world = await in_db(build, case)
                if before is not None:
                    await in_db(before, world)
                began = len(api.served)
                for number, step in enumerate(case.steps):
                    clock.now += PACE_S
                    served = len(api.served)
                    await play(case.model_copy(update={"steps": (step,)}), world, client)
                    found.calls += _calls(talk, number, api.served[served:])
                clock.now += GAP_S
                charged = sum((one.charged_usd for one in api.served[began:]), Decimal())
                await in_db(_noted, found, world, charged)
    if api.refusals:
        raise AssertionError(f"the API refused a request: {api.refusals[0]}")
    return found


@asynccontextmanager
async def _client(api: FakeMessagesAPI) -> AsyncIterator[ModelClient]:
    client = ModelClient(ModelConfig(models=MODELS, api_key=api.api_key), api.transport())
    try:
        yield client
    finally:
        await client.aclose()


@contextmanager
def switched(way: Way) -> Iterator[None]:
    """The engine with parts of it off, also those it has no switch for."""
    with ExitStack() as stack:
        if not way.routes:
            stack.enter_context(patch("support_agent.agent.prepare.fast_path", lambda turn: ""))
        if not way.compresses:
            stack.enter_context(patch("support_agent.agent.memory.COMPRESS_AT", NEVER))
            stack.enter_context(patch("support_agent.agent.memory.WINDOW", NEVER))
        if not way.marks_history:
            stack.enter_context(patch("support_agent.llm.client.build_body", _old_body))
        yield


def _old_body(request: ModelRequest, model: str) -> Json:
    """The body with breakpoints after the system prompt and after the last message only."""
    return build_body(replace(request, lasting=len(request.messages)), model)


def _calls(talk: int, step: int, served: Sequence[Served]) -> list[Call]:
    """The calls of one step, each with whether the turn goes on with what it said."""
    bodies = [one.body for one in served]
    following = [*bodies[1:], None][: len(bodies)]  # a click asks nothing
    return [
        Call(talk, step, one.body, one.usage, _continues(one.body, after))
        for one, after in zip(served, following, strict=True)
    ]


def _continues(body: Json, following: Json | None) -> bool:
    """Whether the next request begins with all messages of this one."""
    mine, more = plain(merged(body["messages"])), plain(merged(following["messages"])) if following else []
    return len(more) > len(mine) and more[: len(mine)] == mine


def _noted(found: Played, world: World, charged: Decimal) -> None:
    """Count how a conversation ended, and check our own accounts of it."""
    turns = Turn.objects.filter(conversation=world.conversation)
    recorded = turns.aggregate(sum=Sum("cost_usd"))["sum"] or Decimal()
    if recorded != charged:
        raise Disagree(f"our steps say {recorded} USD, the API charged {charged}")
    found.turns += turns.count()
    found.conversations += 1
    world.conversation.refresh_from_db()
    unanswered = turns.exclude(state=Turn.State.ANSWERED).exists()
    found.resolved += world.conversation.status == Conversation.Status.AI and not unanswered
    clear(world)


def remembering(tokens: int) -> Callable[[World], None]:
    """Writes a past of so many tokens: articles' words as answers, their titles as questions, about 100 words each."""

    @transaction.atomic
    def write(world: World) -> None:
        written = 0
        for title, body in cycle(Article.objects.order_by("slug").values_list("title", "body")):
            if written >= tokens:
                return
            answer = " ".join(body.split()[:100])
            for role, text in (("customer", f"{title}?"), ("assistant", answer)):
                message = Message(conversation=world.conversation, role=role, text=text)
                event_append(conversation=world.conversation, type="message", message=message)
                written += estimate(text)

    return write


def say(line: str) -> None:
    """Progress, for whoever started this process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
