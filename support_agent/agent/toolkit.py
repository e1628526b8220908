"""How a tool is written: one pydantic model for its arguments, one plain function, one `Tool` that describes both.

A tool takes its customer from the context, never from an argument, and answers a `ToolResult`. It is synchronous and
runs in one database transaction, unless it is `outside`; a mutation only proposes (`pending_confirmation`), the
customer's click executes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from support_agent.agent.identifiers import formats

Json = dict[str, Any]


class Category(StrEnum):
    SEARCH = "search"
    LOOKUP = "lookup"
    MUTATION = "mutation"
    TICKET = "ticket"
    ESCALATION = "escalation"


class Status(StrEnum):
    """The closed set of what a tool can answer."""

    SUCCESS = "success"
    NOT_FOUND = "not_found"
    ERROR = "error"
    DEGRADED = "degraded"
    INVALID_ARGUMENTS = "invalid_arguments"
    PENDING_CONFIRMATION = "pending_confirmation"
    AWAITING_STAFF = "awaiting_staff"
    NEEDS_VERIFICATION = "needs_verification"


class Arguments(BaseModel):
    """Base of every tool's arguments: unknown fields are refused, strings stripped."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Who a tool works for. `customer_id` is the conversation's own verified customer, or None."""

    conversation_id: UUID
    turn_id: UUID
    customer_id: UUID | None
    locale: str
    idempotency_key: str  # unique for this turn, tool and call


@dataclass(frozen=True, slots=True)
class ToolResult:
    """`data` is what the model reads beside `status`; JSON-able, already cut to size."""

    status: Status
    data: Json = field(default_factory=dict)

    def as_json(self) -> Json:
        return {"status": self.status.value, **self.data}


@dataclass(frozen=True, slots=True)
class Extra:
    """A tool beside the product's own, as routing and the planner see it."""

    name: str
    purpose: str  # one line
    acts: bool  # only for a verified customer whose plan takes an action
    subjects: frozenset[str]  # of plans; empty: every subject
    unverified: bool  # also for a customer whom nobody has verified


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `description` says when to use it and when not to; `label` is what the customer reads while it runs."""

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[ToolContext, Any], ToolResult]
    category: Category
    label: object  # as a text in the language that is active
    timeout_s: float = 8.0
    max_result_chars: int = 12_000
    attempts: int = 2  # in all, when a failure may pass by itself
    fallbacks: tuple[
        Callable[[ToolContext, Any], ToolResult], ...
    ] = ()  # lesser ways, tried in order; answers `degraded`
    # Asks another system: runs with no transaction open and no connection held. `run` may then be a coroutine function.
    outside: bool = False
    # Of own tools and those of MCP servers alone; the product's stand in the toolsets of agent/routing.py.
    purpose: str = ""  # one line for the planner; empty: the description's first sentence
    surfaces: frozenset[str] = frozenset()  # where it is offered; empty: everywhere
    subjects: frozenset[str] = frozenset()  # the plan's subjects it belongs to; empty: all
    unverified: bool = False  # offered to customers whom nobody has verified, too
    server: str = ""  # the MCP server it comes from

    def extra(self) -> Extra:
        purpose = self.purpose or self.description.partition(". ")[0]
        acts = self.category not in (Category.SEARCH, Category.LOOKUP)
        return Extra(self.name, " ".join(purpose.split())[:200], acts, self.subjects, self.unverified and not acts)

    def schema(self) -> Json:
        """The API's `tools` entry: type object, no top-level combinators, no titles."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": _input_schema(self.arguments, formats().hint),
        }


@cache
def _input_schema(arguments: type[Arguments], _hint: str) -> Json:
    """Made once for a look of numbers: each call sends seven of them, and pydantic takes a millisecond for one."""
    schema: Json = _without_titles(arguments.model_json_schema())
    return schema


def _without_titles(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: _without_titles(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_without_titles(item) for item in node] if isinstance(node, list) else node


class ToolError(Exception):
    """A tool's own failure that the model may hear of; `retryable` says whether trying again can help."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable
