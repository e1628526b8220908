"""The engine's ToolPort over the real tools: validated arguments, one transaction a call, one ToolCall row a key.

A call that may act has a key made of turn, tool and arguments, so that a resumed or repeated one finds the first
result and acts no second time (I3). Before it acts it takes the conversation's lock and checks that the turn is still
ours, so that nothing happens after a person took over (I10).
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from pydantic import ValidationError

from support_agent.agent.errors import TurnLost
from support_agent.agent.observer import call_key
from support_agent.agent.toolkit import Arguments, Category, Status, Tool, ToolContext, ToolError, ToolResult
from support_agent.agent.types import ToolUse
from support_agent.models import ToolCall, Turn
from tickets.db import in_db
from tickets.errors import DeskError, NotFound
from tickets.models import Action, Conversation
from tickets.services.conversations import lock

Json = dict[str, Any]
log = logging.getLogger(__name__)
ACTING = {Category.MUTATION, Category.TICKET, Category.ESCALATION}


class Toolbox:
    """The tools of one attempt at one turn."""

    def __init__(self, tools: Mapping[str, Tool], turn: Turn) -> None:
        self._tools, self._turn = tools, turn
        self._sources = 0

    def schemas(self, names: Sequence[str]) -> list[Json]:
        return [self._tools[name].schema() for name in names if name in self._tools]  # ops may have disabled one

    def label(self, name: str) -> str:
        return self._tools[name].label if name in self._tools else ""

    async def call(self, use: ToolUse, offered: Sequence[str]) -> Json:
        """Run one tool; every fault of its own comes back as a result. Raises TurnLost."""
        tool = self._tools.get(use.name) if use.name in offered else None
        if tool is None:
            return await self._refuse(use, {"tool": f"not one of this turn's tools: {', '.join(offered)}"})
        try:
            arguments = tool.arguments.model_validate(use.arguments)
        except ValidationError as problem:
            return await self._refuse(use, _fields(problem))
        started = time.perf_counter()
        try:
            async with asyncio.timeout(tool.timeout_s):
                return await in_db(self._run, tool, arguments, use, started)
        except TurnLost:
            raise
        except TimeoutError:
            failure = ToolResult(Status.ERROR, {"retryable": True, "message": "This took too long to fetch."})
        except ToolError as error:
            failure = ToolResult(Status.ERROR, {"retryable": error.retryable, "message": str(error)})
        except NotFound as error:
            failure = ToolResult(Status.NOT_FOUND, {"message": error.message})
        except DeskError as error:
            failure = ToolResult(
                Status.ERROR,
                {"retryable": False, "reason": getattr(error, "reason", error.code), "message": error.message},
            )
        except Exception:
            log.exception("tool_failed", extra={"tool": use.name})
            failure = ToolResult(Status.ERROR, {"retryable": False, "message": "This could not be fetched just now."})
        return await in_db(self._note, use, failure.as_json(), started)

    def _run(self, tool: Tool, arguments: Arguments, use: ToolUse, started: float) -> Json:
        with transaction.atomic():
            with connection.cursor() as cursor:  # a hanging query must not outlive its call
                cursor.execute("SET LOCAL statement_timeout = %s", [round(tool.timeout_s * 1000)])
            acts = tool.category in ACTING
            if acts:
                self._hold_turn()
            key = self._key(use, acting=acts)
            known = ToolCall.objects.filter(idempotency_key=key).first()
            if known is not None:
                result: Json = known.result
                return result
            answer = tool.run(self._context(key), arguments)
            if not isinstance(answer, ToolResult):
                raise ToolError("This could not be fetched just now.", retryable=False)
            result = _capped(answer.as_json(), tool.max_result_chars)
            self._sources += len(result.get("results", []))
            self._save(use, key, result, started)
            return result

    def _hold_turn(self) -> None:
        """Lock the conversation, then check that this attempt still owns the turn. Raises TurnLost."""
        lock(self._turn.conversation_id)
        ours = Turn.objects.filter(pk=self._turn.pk, state=Turn.State.RUNNING, attempt=self._turn.attempt)
        if not ours.exists():
            raise TurnLost

    def _context(self, key: str) -> ToolContext:
        conversation = Conversation.objects.only("customer_id", "locale").get(pk=self._turn.conversation_id)
        return ToolContext(
            conversation_id=conversation.pk,
            turn_id=self._turn.pk,
            customer_id=conversation.customer_id,
            locale=conversation.locale,
            idempotency_key=key,
            first_source=self._sources + 1,
        )

    def _key(self, use: ToolUse, *, acting: bool) -> str:
        return ":".join([str(self._turn.pk), *(call_key(use.name, use.arguments) if acting else [use.id])])[:120]

    async def _refuse(self, use: ToolUse, fields: Json) -> Json:
        result = ToolResult(Status.INVALID_ARGUMENTS, {"fields": fields}).as_json()
        return await in_db(self._note, use, result, time.perf_counter())

    def _note(self, use: ToolUse, result: Json, started: float) -> Json:
        """A call that did not run, or whose transaction was rolled back, is written down all the same."""
        self._save(use, f"{self._turn.pk}:{use.id}:{self._turn.attempt}"[:120], result, started)
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
            action_id=_action_id(result),
            duration_ms=round((time.perf_counter() - started) * 1000),
        )
        ToolCall.objects.bulk_create([row], ignore_conflicts=True)


# What the clicked action has come to, in a tool result's words.
SETTLED = {
    Action.State.DONE: Status.SUCCESS,
    Action.State.FAILED: Status.ERROR,
    Action.State.AWAITING_STAFF: Status.AWAITING_STAFF,
}


def settle_tool_call(action: Action) -> None:
    """The customer's click decided: the proposing call's row follows, in the click's own transaction."""
    status = SETTLED.get(Action.State(action.state))
    if status is not None:
        result = {"status": status.value, "receipt": action.receipt}
        ToolCall.objects.filter(action=action).update(status=status.value, result=result)


def _action_id(result: Json) -> UUID | None:
    return UUID(str(result["action_id"])) if result.get("action_id") else None


def _fields(problem: ValidationError) -> Json:
    return {".".join(map(str, error["loc"])) or "arguments": error["msg"] for error in problem.errors()}


def _capped(result: Json, limit: int) -> Json:
    """A result within its size: lists lose their tail first, and say how much; a giant text is cut."""
    if len(json.dumps(result, default=str)) <= limit:
        return result
    cut = dict(result)
    for name, value in result.items():
        if isinstance(value, list):
            kept = value
            while kept and len(json.dumps({**cut, name: kept}, default=str)) > limit:
                kept = kept[: len(kept) // 2]
            cut[name], cut["more"] = kept, cut.get("more", 0) + len(value) - len(kept)
        elif isinstance(value, str) and len(value) > limit // 2:
            cut[name] = value[: limit // 2] + " …"
    if len(json.dumps(cut, default=str)) > limit:
        return {"status": result["status"], "message": "The result was too large to read."}
    return cut
