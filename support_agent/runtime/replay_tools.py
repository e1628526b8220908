"""The tools of a replay: nothing they do stays.

A call that the original made too is answered with what was recorded (a blast radius may want it otherwise,
blast_change). Other look-ups run for real in a transaction that
may only read. What would change, send or hand over is rehearsed in a transaction that is rolled back, in the
conversation as it was then; where even that fails, a plausible result stands in.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from pydantic import ValidationError

from support_agent.agent.observer import call_key
from support_agent.agent.toolkit import Arguments, Category, Status, Tool, ToolContext, ToolResult
from support_agent.agent.types import ToolUse
from support_agent.models import Step
from support_agent.runtime.blast_change import NONE, SEARCH, Change, is_otherwise
from support_agent.runtime.tool_results import capped, refusal, wrong_fields
from tickets import hours
from tickets.db import in_db
from tickets.errors import DeskError
from tickets.ids import new_id
from tickets.models import Action, Conversation, Escalation
from tickets.publishing import outbox
from tickets.services.article_drafts import as_if_saved

Json = dict[str, Any]
log = logging.getLogger(__name__)
RECORDED, READ, SIMULATED, TAKEN, DRAFTED = "recorded", "read", "simulated", "taken over", "as drafted"
ACTING = {Category.MUTATION, Category.TICKET, Category.ESCALATION}
SENDS = {"verify_identity"}  # a look-up by category, but a code would be on its way
DRAWS_NUMBERS = {"create_ticket"}  # a rehearsal would use up a ticket's number
FREE_WORDS = {"reason", "summary", "subject", "body"}  # a model words them anew each time
NOT_ASKED = "Another system is not asked in a replay, but for what it answered then."
AWAY = "This could not be fetched just now."
LOCK_MS = 2000  # a customer who is being served comes first


@dataclass(frozen=True, slots=True)
class AsThen:
    """What a rehearsal finds instead of today's conversation."""

    conversation_id: UUID
    turn_id: UUID
    customer_id: UUID | None
    status: str
    locale: str
    moment: datetime


class ReplayTools:
    """The engine's ToolPort for one replay."""

    def __init__(
        self,
        original: Iterable[Step],
        then: AsThen,
        replay_id: UUID,
        change: Change = NONE,
        *,
        tools: Mapping[str, Tool],
    ) -> None:
        """`original` are the turn's own steps, in order."""
        self._tools = tools
        self._then, self._replay_id, self._change = then, replay_id, change
        self._recorded: dict[str, deque[Json]] = defaultdict(deque)
        for step in original:
            if step.kind == "tool_call":
                self._recorded[call_identity(step.tool, step.input, self._tools)].append(step.output)
        self._answered: list[tuple[Json, str]] = []

    def schemas(self, names: Sequence[str]) -> list[Json]:
        return [self._tools[name].schema() for name in names if name in self._tools and name != self._change.off]

    def label(self, name: str) -> str:
        return str(self._tools[name].label) if name in self._tools else ""

    def how(self, result: Json) -> str:
        """How this very result came about: recorded, read or simulated; '' when no tool ran."""
        return next((how for known, how in self._answered if known is result), "")

    async def call(self, use: ToolUse, offered: Sequence[str]) -> Json:
        result, how = await self._answer(use, offered)
        self._answered.append((result, how))
        return result

    async def _answer(self, use: ToolUse, offered: Sequence[str]) -> tuple[Json, str]:
        offered = [name for name in offered if name != self._change.off]
        if (drafted := await self._drafted(use, offered)) is not None:
            return drafted
        known = self._recorded.get(call_identity(use.name, use.arguments, self._tools))
        if known and use.name not in (self._change.off, self._change.anew):
            result = known.popleft() if len(known) > 1 else known[0]
            return copy.deepcopy(result), RECORDED  # its sources are numbered anew
        tool = self._tools.get(use.name) if use.name in offered else None
        if tool is None:
            return _invalid({"tool": f"not one of this turn's tools: {', '.join(offered)}"}), ""
        try:
            arguments = tool.arguments.model_validate(use.arguments)
        except ValidationError as problem:
            return _invalid(wrong_fields(problem)), ""
        if tool.category in ACTING or tool.name in SENDS:
            return await self._simulate(tool, arguments), SIMULATED
        if tool.server:  # what somebody else's server answered then is known; today it is not asked
            return ToolResult(Status.ERROR, {"retryable": False, "message": NOT_ASKED}).as_json(), SIMULATED
        return await self._read(tool, arguments), READ

    async def _drafted(self, use: ToolUse, offered: Sequence[str]) -> tuple[Json, str] | None:
        """A search that a draft makes a difference to; None for every other call."""
        draft = self._change.draft
        if draft is None or use.name != SEARCH or SEARCH not in offered:
            return None
        tool = self._tools[SEARCH]
        try:
            arguments = tool.arguments.model_validate(use.arguments)
        except ValidationError:
            return None
        now, then = await self._read(tool, arguments), await self._read(tool, arguments, draft)
        if Status.ERROR in (now["status"], then["status"]):
            raise RuntimeError("The help centre could not be searched with the draft just now.")
        if not is_otherwise(now, then, draft["slug"]):
            return None
        return (now, READ) if self._change.is_baseline else (then, DRAFTED)

    async def _read(self, tool: Tool, arguments: Arguments, draft: Mapping[str, str] | None = None) -> Json:
        """The tool's own way, then its lesser ways, each in a transaction that can only read."""
        for run in (tool.run, *tool.fallbacks):
            try:
                async with asyncio.timeout(tool.timeout_s):
                    return await in_db(self._rolled_back, tool, run, arguments, reads_only=True, draft=draft)
            except DeskError as error:
                return refusal(error).as_json()
            except Exception:
                log.warning("replay_look_up_failed", exc_info=True, extra={"tool": tool.name})
        return ToolResult(Status.ERROR, {"retryable": False, "message": AWAY}).as_json()

    async def _simulate(self, tool: Tool, arguments: Arguments) -> Json:
        if tool.name not in DRAWS_NUMBERS:
            try:
                async with asyncio.timeout(tool.timeout_s):
                    return await in_db(self._rolled_back, tool, tool.run, arguments, reads_only=False)
            except DeskError as error:
                return refusal(error).as_json()
            except Exception:
                log.warning("replay_rehearsal_failed", exc_info=True, extra={"tool": tool.name})
        return plausible(tool, arguments)

    def _rolled_back(
        self,
        tool: Tool,
        run: Callable[[ToolContext, Any], ToolResult],
        arguments: Arguments,
        *,
        reads_only: bool,
        draft: Mapping[str, str] | None = None,
    ) -> Json:
        then = self._then
        token = outbox.set([])  # whatever it would announce is not announced
        try:
            with _world(draft):
                with connection.cursor() as cursor:
                    if reads_only:
                        cursor.execute("SET TRANSACTION READ ONLY")
                    cursor.execute("SET LOCAL statement_timeout = %s", [round(tool.timeout_s * 1000)])
                    cursor.execute("SET LOCAL lock_timeout = %s", [LOCK_MS])
                if not reads_only:
                    _go_back(then)
                context = ToolContext(
                    conversation_id=then.conversation_id,
                    turn_id=then.turn_id,
                    customer_id=then.customer_id,
                    locale=then.locale,
                    idempotency_key=f"replay:{self._replay_id}:{new_id()}",
                )
                return capped(run(context, arguments).as_json(), tool.max_result_chars)
        finally:
            outbox.reset(token)


@contextmanager
def _world(draft: Mapping[str, str] | None) -> Iterator[None]:
    """A transaction of which nothing stays, in today's help centre or that of the draft."""
    with transaction.atomic():
        try:
            if draft is None:
                yield
            else:
                with as_if_saved(draft):
                    yield
        finally:
            transaction.set_rollback(True)


def _go_back(then: AsThen) -> None:
    """Inside the transaction to be rolled back: the conversation as it was, without what came of it since."""
    Conversation.objects.filter(pk=then.conversation_id).update(
        status=then.status, customer_id=then.customer_id, closed_at=None
    )
    later = {"conversation": then.conversation_id, "created_at__gte": then.moment}
    Escalation.objects.filter(**later).update(status=Escalation.Status.CLOSED, ended_at=then.moment)
    Action.objects.filter(**later, state__in=[Action.State.PROPOSED, Action.State.AWAITING_STAFF]).update(
        state=Action.State.EXPIRED
    )


def plausible(tool: Tool, arguments: Arguments) -> Json:
    """What the tool would most likely have answered, where it cannot even be rehearsed."""
    given = arguments.model_dump(mode="json")
    if tool.category is Category.TICKET:
        kept = {name: given[name] for name in ("subject", "priority") if name in given}
        return _success({"ticket": {"number": "T-00000", **kept, "status": "open"}})
    if tool.category is Category.ESCALATION:
        team = str(given.get("suggested_team") or "support").replace("_", " ").capitalize()
        return _success({"escalation": {"team": team, "position": 1, "when": hours.when(timezone.now())}})
    if tool.category is Category.MUTATION:
        summary = f"{tool.name.replace('_', ' ').capitalize()}: {', '.join(map(str, given.values()))}"[:300]
        data = {"action_id": str(new_id()), "summary": summary, "preview": given, "expires_in_minutes": 30}
        return ToolResult(Status.PENDING_CONFIRMATION, data).as_json()
    return _success({"state": "requested"})


def call_identity(name: str, arguments: Json, tools: Mapping[str, Tool]) -> str:
    """A call's identity: two spellings of the same arguments are the same call, and so are two reasons for one wish."""
    tool = tools.get(name)
    if tool is not None:
        with suppress(ValidationError):
            arguments = json.loads(tool.arguments.model_validate(arguments).model_dump_json())
        if tool.category in ACTING:
            arguments = {key: value for key, value in arguments.items() if key not in FREE_WORDS}
    return ":".join(call_key(name, arguments))


def _success(data: Json) -> Json:
    return ToolResult(Status.SUCCESS, data).as_json()


def _invalid(fields: Json) -> Json:
    return ToolResult(Status.INVALID_ARGUMENTS, {"fields": fields}).as_json()
