"""Tools that go wrong, as a case says: at the tool port, so that retries, fallbacks and words are the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, cast

from django.db import OperationalError, connection

from support_agent.agent.toolkit import Status, Tool, ToolContext, ToolResult
from support_agent.runtime.toolbox import Run

Fault = Literal["raises", "hangs", "answers_none", "answers_nothing", "unavailable", "unavailable_once", "breaker_open"]
SHORT_S = 0.15  # the timeout of a tool that hangs
BREAKER: Fault = "breaker_open"


def faulty(tools: Mapping[str, Tool], faults: Mapping[str, Fault]) -> dict[str, Tool]:
    """The tools, those named with their fault, which counts its calls for as long as they are used."""
    return {name: _MAKE[faults[name]](tool) if name in faults else tool for name, tool in tools.items()}


@dataclass
class OwnBreakers:
    """A case's breakers: the real ones are shared by all runners, and a case must neither open nor close them."""

    open: frozenset[str] = frozenset()
    noted: list[tuple[str, bool]] = field(default_factory=list)

    def may_call(self, tool: str) -> bool:
        return tool not in self.open

    def is_clean(self, tool: str) -> bool:
        return False

    def note(self, tool: str, *, failed: bool) -> None:
        self.noted.append((tool, failed))


def breakers(faults: Mapping[str, Fault]) -> OwnBreakers:
    """All closed but for those a case wants open."""
    return OwnBreakers(frozenset(name for name, fault in faults.items() if fault == BREAKER))


def _raises(tool: Tool) -> Tool:
    def run(*_: Any) -> ToolResult:
        raise ZeroDivisionError("made by the case")

    return replace(tool, run=run)


def _hangs(tool: Tool) -> Tool:
    """A query that does not come back within the timeout, which is shortened so that nobody waits."""

    def run(*_: Any) -> ToolResult:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [SHORT_S * 4])
        raise AssertionError("the statement's timeout should have ended this")

    return replace(tool, run=run, timeout_s=SHORT_S, attempts=1, fallbacks=())


def _unavailable(tool: Tool) -> Tool:
    """Nothing answers, its lesser ways neither."""

    def run(*_: Any) -> ToolResult:
        raise OperationalError("made by the case: no answer")

    return replace(tool, run=run, fallbacks=())


def _unavailable_once(tool: Tool) -> Tool:
    calls: list[ToolContext] = []

    def run(context: ToolContext, arguments: Any) -> ToolResult:
        calls.append(context)
        if len(calls) == 1:
            raise OperationalError("made by the case: no answer yet")
        return tool.run(context, arguments)

    return replace(tool, run=run)


def _answering(answer: object) -> Callable[[Tool], Tool]:
    return lambda tool: replace(tool, run=cast(Run, lambda *_: answer))


_MAKE: Mapping[Fault, Callable[[Tool], Tool]] = MappingProxyType(
    {
        "raises": _raises,
        "hangs": _hangs,
        "answers_none": _answering(None),
        "answers_nothing": _answering(ToolResult(Status.SUCCESS)),
        "unavailable": _unavailable,
        "unavailable_once": _unavailable_once,
        BREAKER: lambda tool: tool,
    }
)
