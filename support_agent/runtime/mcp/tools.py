"""An allowed MCP tool as one of the engine's: a look-up asks its server at once, everything else only proposes.

What the model reads of it is what staff pinned. Who the customer is, is filled in here, from the conversation.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import jsonschema  # type: ignore[import-untyped]
from django.utils import timezone
from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from support_agent.agent.toolkit import Arguments, Category, Json, Status, Tool, ToolContext, ToolError, ToolResult
from support_agent.models import McpServer, McpTool, ToolCall
from support_agent.runtime.mcp.listing import definitions_note
from support_agent.runtime.mcp.results import result_of
from support_agent.runtime.mcp.schemas import Unusable, input_schema, without
from support_agent.runtime.mcp.spec import Trouble, spec_of
from support_agent.tools.common import NEEDS_VERIFICATION, guarded, propose
from tickets.db import release
from tickets.models import Customer
from tickets.sealing import Unreadable
from tickets.selectors.customers import customer_by_id

log = logging.getLogger(__name__)
CONNECTING_S = 13.0  # what opening and listing may take beside the call itself
AWAY = "The other system could not be asked just now."
NOT_NOW = "This is not available just now."
TOO_OFTEN = "This was asked too often; answer without it, or hand over to a person."
UNKNOWN_THERE = "The other system has no reference of this customer."


def tool_of(row: McpTool) -> Tool | None:
    """The tool, or None where what is pinned cannot be offered."""
    try:
        schema = input_schema(row.pinned)
    except Unusable:
        return None
    shown = without(schema, {name for name, source in row.sources.items() if source != McpTool.Source.MODEL})
    return Tool(
        name=row.name,
        description=row.description,
        arguments=_arguments(json.dumps(shown, sort_keys=True)),
        run=_proposing(row) if row.proposes else _asking(row),
        category=Category.MUTATION if row.proposes else Category.LOOKUP,
        label=row.label,
        timeout_s=row.timeout_s + CONNECTING_S,
        max_result_chars=row.max_result_chars,
        attempts=1,
        outside=not row.proposes,
        purpose=row.purpose,
        surfaces=frozenset(row.surfaces),
        subjects=frozenset(row.subjects),
        unverified=row.unverified and not row.proposes,
        server=row.server.name,
    )


class McpArguments(Arguments):
    """What the model wrote, checked against a pinned schema."""

    model_config = ConfigDict(extra="allow", str_strip_whitespace=True)
    pinned: ClassVar[Json] = {}

    @model_validator(mode="before")
    @classmethod
    def _fits(cls, given: Any) -> Any:
        wrong = next(jsonschema.Draft202012Validator(cls.pinned).iter_errors(given), None)
        if wrong is not None:
            where = ".".join(map(str, wrong.absolute_path))
            text = f"{where}: {wrong.message}" if where else wrong.message
            raise PydanticCustomError("schema", "{why}", {"why": text[:300]})
        return given

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> Json:
        return cls.pinned


@lru_cache(maxsize=500)
def _arguments(schema: str) -> type[Arguments]:
    """One class for each schema: each keeps what is made of it."""
    return type("PinnedArguments", (McpArguments,), {"pinned": json.loads(schema)})


class Refusal(Exception):
    """It was not done, and asking again is of no use."""


def ask(row: McpTool, arguments: Json, customer: Customer | None, *, key: str) -> ToolResult:
    """Call the tool with the customer filled in. Called with no transaction open. Raises Trouble (`sent` when it may
    have arrived) and Refusal of what was not done."""
    from support_agent.runtime.mcp import sessions  # heavy; only where a server is asked

    filled = {**arguments, **_filled(row, customer)}
    try:
        spec = spec_of(row.server)
        release()
        answer = sessions.call(
            spec, row.tool, filled, pinned=row.pinned_digest, key=key, timeout_s=float(row.timeout_s)
        )
    except sessions.Changed as changed:
        definitions_note(server_id=row.server_id, definitions=changed.definitions)
        raise Refusal(NOT_NOW) from changed
    except sessions.Denied as denied:
        log.warning("mcp_denied", extra={"server": row.server.name, "tool": row.tool, "why": str(denied)})
        raise Refusal("The other system refused this.") from denied
    except (Trouble, Unreadable) as trouble:
        log.warning("mcp_failed", extra={"server": row.server.name, "tool": row.tool, "why": str(trouble)})
        McpServer.objects.filter(pk=row.server_id).exclude(trouble=str(trouble)[:300]).update(
            trouble=str(trouble)[:300]
        )
        raise trouble if isinstance(trouble, Trouble) else Trouble(str(trouble)) from trouble
    blocks = [block.model_dump(by_alias=True, mode="json", exclude_none=True) for block in answer.content]
    return result_of(blocks, answer.structured_content, is_error=bool(answer.is_error), limit=row.max_result_chars)


def _filled(row: McpTool, customer: Customer | None) -> Json:
    """The arguments that say who the customer is. Raises Refusal when the other system cannot know them."""
    values = {}
    for name, source in row.sources.items():
        if source == McpTool.Source.MODEL:
            continue
        value = customer and (customer.email if source == McpTool.Source.EMAIL else customer.external_id)
        if not value:
            raise Refusal(UNKNOWN_THERE)
        values[name] = value
    return values


def _asking(row: McpTool) -> Callable[[ToolContext, Any], ToolResult]:
    names_customer = any(source != McpTool.Source.MODEL for source in row.sources.values())

    def run(context: ToolContext, arguments: Arguments) -> ToolResult:
        customer = customer_by_id(context.customer_id) if context.customer_id else None
        if customer is None and (names_customer or not row.unverified):
            return ToolResult(Status.NEEDS_VERIFICATION, {"message": NEEDS_VERIFICATION})
        if _too_often(row, context.conversation_id):
            return ToolResult(Status.ERROR, {"retryable": False, "message": TOO_OFTEN})
        try:
            return ask(row, arguments.model_dump(mode="json"), customer, key=context.idempotency_key)
        except Refusal as refusal:
            return ToolResult(Status.ERROR, {"retryable": False, "message": str(refusal)})
        except Trouble as trouble:
            raise ToolError(AWAY, retryable=False) from trouble

    return run


def _proposing(row: McpTool) -> Callable[[ToolContext, Any], ToolResult]:
    def run(context: ToolContext, arguments: Arguments) -> ToolResult:
        customer = customer_by_id(context.customer_id) if context.customer_id else None
        if customer is None:
            return ToolResult(Status.NEEDS_VERIFICATION, {"message": NEEDS_VERIFICATION})
        if _too_often(row, context.conversation_id):
            return ToolResult(Status.ERROR, {"retryable": False, "message": TOO_OFTEN})
        try:
            _filled(row, customer)
        except Refusal as refusal:
            return ToolResult(Status.ERROR, {"retryable": False, "message": str(refusal)})
        given = arguments.model_dump(mode="json")
        shown = ", ".join(str(value) for value in given.values() if isinstance(value, str | int | float))
        what = row.purpose or row.description.partition(". ")[0]
        summary = f"{what.rstrip('.')[:200]}: {shown}" if shown else what[:300]
        return propose(
            context,
            customer,
            tool=row.name,
            arguments=given,
            summary=summary,
            preview={},
            definition=row.pinned_digest,
        )

    return guarded(run)


def _too_often(row: McpTool, conversation_id: UUID) -> bool:
    calls = ToolCall.objects.filter(tool=row.name)
    day = timezone.now() - timedelta(days=1)
    return (
        calls.filter(conversation_id=conversation_id).count() >= row.per_conversation
        or calls.filter(created_at__gte=day).count() >= row.per_day
    )
