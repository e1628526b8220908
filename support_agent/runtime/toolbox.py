"""The engine's ToolPort over the real tools: validated arguments, one transaction a call, one ToolCall row a key.

A call that may act has a key made of turn, tool and arguments, so that a resumed or repeated one finds the first
result and acts no second time (I3). Before it acts it takes the conversation's lock and checks that the turn is still
ours, so that nothing happens after a person took over (I10).
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from django.db import OperationalError, transaction
from pydantic import ValidationError

from support_agent.agent.errors import TurnLost
from support_agent.agent.observer import call_key
from support_agent.agent.toolkit import Arguments, Category, Status, Tool, ToolContext, ToolError, ToolResult
from support_agent.agent.types import ToolUse
from support_agent.models import ToolCall, Turn
from support_agent.runtime import tool_breakers
from support_agent.runtime.tool_results import action_id_of, capped, refusal, wrong_fields
from tickets.db import in_db, outside
from tickets.errors import DeskError
from tickets.redaction import redact_json, without_secrets
from tickets.services.conversations import lock
from tickets.sql import as_rows, inserted, prepared

Json = dict[str, Any]
log = logging.getLogger(__name__)
AWAY = "This could not be fetched just now."
LESSER = "Only a simpler look-up answered; this may be incomplete."
Run = Callable[[ToolContext, Any], ToolResult]
_BEGIN = """
SELECT c.customer_id, c.locale, t.result, set_config('statement_timeout', %(timeout)s, true)
FROM tickets_conversation c LEFT JOIN support_agent_toolcall t ON t.idempotency_key = %(key)s
WHERE c.id = %(conversation)s
"""
ACTING = {Category.MUTATION, Category.TICKET, Category.ESCALATION}


class Breakers(Protocol):
    """What spares everybody a tool that is down: the module tool_breakers, or a case's own."""

    def may_call(self, tool: str) -> bool: ...

    def is_clean(self, tool: str) -> bool: ...

    def note(self, tool: str, *, failed: bool) -> None: ...


class Toolbox:
    """The tools of one attempt at one turn."""

    def __init__(self, tools: Mapping[str, Tool], turn: Turn, breakers: Breakers = tool_breakers) -> None:
        self._tools, self._turn, self._breakers = tools, turn, breakers

    def schemas(self, names: Sequence[str]) -> list[Json]:
        return [self._tools[name].schema() for name in names if name in self._tools]  # ops may have disabled one

    def label(self, name: str) -> str:
        return str(self._tools[name].label) if name in self._tools else ""

    async def call(self, use: ToolUse, offered: Sequence[str]) -> Json:
        """Run one tool; every fault of its own comes back as a result. Raises TurnLost."""
        tool = self._tools.get(use.name) if use.name in offered else None
        if tool is None:
            return await self._refuse(use, {"tool": f"not one of this turn's tools: {', '.join(offered)}"})
        try:
            arguments = tool.arguments.model_validate(use.arguments)
        except ValidationError as problem:
            return await self._refuse(use, wrong_fields(problem))
        if not await in_db(self._breakers.may_call, tool.name):
            return await self._note_failure(use, ToolResult(Status.DEGRADED, {"message": AWAY}), time.perf_counter())
        return await self._try_in_turn(tool, arguments, use)

    async def _try_in_turn(self, tool: Tool, arguments: Arguments, use: ToolUse) -> Json:
        """The tool's own way, again when its failure may pass; then its lesser ways; then the failure as a result."""
        started = time.perf_counter()
        failure = ToolResult(Status.ERROR, {"retryable": False, "message": AWAY})
        for attempt in range(tool.attempts):
            if attempt:
                await asyncio.sleep(random.uniform(0.05, 0.25))  # noqa: S311  # jitter: not all at once again
            done = await self._once(tool, tool.run, arguments, use, started)
            if isinstance(done, dict):
                return done
            failure = done
            if not failure.data["retryable"]:
                break
        for lesser in tool.fallbacks:
            done = await self._once(tool, lesser, arguments, use, started, degraded=True)
            if isinstance(done, dict):
                return done
        return await self._note_failure(use, failure, started)

    async def _once(
        self, tool: Tool, run: Run, arguments: Arguments, use: ToolUse, started: float, *, degraded: bool = False
    ) -> Json | ToolResult:
        """The result as JSON, or a ToolResult that tells of a failure (`retryable` in its data). Raises TurnLost."""
        retryable, message = False, AWAY
        try:
            async with asyncio.timeout(tool.timeout_s):
                if tool.outside:
                    result = await self._ask(tool, run, arguments, use, started, degraded)
                else:
                    result = await in_db(self._run, tool, run, arguments, use, started, degraded)
            if degraded or not self._breakers.is_clean(tool.name):
                await in_db(self._breakers.note, tool.name, failed=degraded)
            return result
        except TurnLost:
            raise
        except DeskError as error:  # an answer, not a failure
            return await in_db(self._note, use, refusal(error).as_json(), started)
        except TimeoutError:
            message = "This took too long to fetch."
        except ToolError as error:
            retryable, message = error.retryable, str(error)
        except OperationalError:
            retryable = True
        except Exception:
            log.exception("tool_failed", extra={"tool": tool.name})
        await in_db(self._breakers.note, tool.name, failed=True)
        return ToolResult(Status.ERROR, {"retryable": retryable, "message": message})

    def _run(self, tool: Tool, run: Run, arguments: Arguments, use: ToolUse, started: float, degraded: bool) -> Json:
        acts = tool.category in ACTING
        key = self._key(use, acting=acts)
        with transaction.atomic():
            if acts:
                self._hold_turn()
            known, context = self._begin(key, tool.timeout_s)
            if known is not None:
                return known
            return self._keep(tool, run(context, arguments), use, key, started, degraded)

    async def _ask(
        self, tool: Tool, run: Run, arguments: Arguments, use: ToolUse, started: float, degraded: bool
    ) -> Json:
        """A tool of another system: nothing of the database is held while it answers, and what it proposes is written
        by the desk's own service, which looks at the conversation again."""
        key = self._key(use, acting=tool.category in ACTING)
        known, context = await in_db(self._begin, key, tool.timeout_s)
        if known is not None:
            return known
        if inspect.iscoroutinefunction(run):
            answer = await run(context, arguments)
        else:
            answer = await outside(run, context, arguments)
        return await in_db(self._keep_outside, tool, answer, use, key, started, degraded)

    def _keep_outside(
        self, tool: Tool, answer: ToolResult, use: ToolUse, key: str, started: float, degraded: bool
    ) -> Json:
        with transaction.atomic():
            if tool.category in ACTING:
                self._hold_turn()
            return self._keep(tool, answer, use, key, started, degraded)

    def _begin(self, key: str, timeout_s: float) -> tuple[Json | None, ToolContext]:
        """The result of this call where it was made before, and whose it is; a hanging query will not outlive it."""
        asked = {"key": key, "conversation": self._turn.conversation_id, "timeout": str(round(timeout_s * 1000))}
        customer_id, locale, known, _ = prepared(_BEGIN, asked)[0]
        context = ToolContext(
            conversation_id=self._turn.conversation_id,
            turn_id=self._turn.pk,
            customer_id=customer_id,
            locale=locale,
            idempotency_key=key,
        )
        return (None if known is None else json.loads(known)), context

    def _keep(self, tool: Tool, answer: ToolResult, use: ToolUse, key: str, started: float, degraded: bool) -> Json:
        """Write the answer down as the model will read it: without secrets, within its size."""
        if not isinstance(answer, ToolResult):
            raise TypeError(f"{tool.name} answered {type(answer).__name__}, not a ToolResult")
        if answer.status == Status.SUCCESS and not answer.data:
            raise TypeError(f"{tool.name} answered a success that holds nothing")  # not that there is nothing
        result: Json = redact_json(capped(answer.as_json(), tool.max_result_chars), without_secrets)
        if degraded and result["status"] == Status.SUCCESS:
            result = {**result, "status": Status.DEGRADED.value, "message": LESSER}
        self._save(use, key, result, started)
        return result

    async def _note_failure(self, use: ToolUse, failure: ToolResult, started: float) -> Json:
        return await in_db(self._note, use, failure.as_json(), started)

    def _hold_turn(self) -> None:
        """Lock the conversation, then check that this attempt still owns the turn. Raises TurnLost."""
        lock(self._turn.conversation_id)
        ours = Turn.objects.filter(pk=self._turn.pk, state=Turn.State.RUNNING, attempt=self._turn.attempt)
        if not ours.exists():
            raise TurnLost

    def _key(self, use: ToolUse, *, acting: bool) -> str:
        return ":".join([str(self._turn.pk), *(call_key(use.name, use.arguments) if acting else [use.id])])[:120]

    async def _refuse(self, use: ToolUse, fields: Json) -> Json:
        result = ToolResult(Status.INVALID_ARGUMENTS, {"fields": fields}).as_json()
        return await in_db(self._note, use, result, time.perf_counter())

    def _note(self, use: ToolUse, result: Json, started: float) -> Json:
        """A call that did not run, or whose transaction was rolled back, is written down all the same, once.

        Not under the key of one that ran: a resumed turn tries again.
        """
        self._save(use, f"{self._turn.pk}:{use.id[:70]}:failed", result, started)
        return result

    def _save(self, use: ToolUse, key: str, result: Json, started: float) -> None:
        row = ToolCall(
            turn=self._turn,
            conversation_id=self._turn.conversation_id,
            tool=use.name[:64],
            tool_use_id=use.id[:80],
            arguments=use.arguments,
            idempotency_key=key,
            status=result["status"],
            result=result,
            action_id=action_id_of(result),
            duration_ms=round((time.perf_counter() - started) * 1000),
        )
        inserted(ToolCall, as_rows([row]), once=True)
