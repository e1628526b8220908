"""All tools there are, by name: the product's, a company's own, and those of MCP servers that staff allowed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from support_agent.agent.toolkit import Extra, Tool
from support_agent.agent.types import Surface
from support_agent.models import McpTool
from support_agent.tools import ALL
from support_agent.tools.own import builtin

FRESH_S = 2.0
_looked_at: float | None = None
_stamp: Sequence[tuple[object, ...]] = []
_mcp: dict[str, Tool] = {}


def catalogue() -> Mapping[str, Tool]:
    """The tools of at most two seconds ago; synchronous, one query when stale, another when something changed."""
    global _looked_at, _stamp, _mcp
    if _looked_at is None or time.monotonic() - _looked_at > FRESH_S:
        _looked_at = time.monotonic()
        offered = McpTool.objects.offered().order_by("name")
        stamp = list(offered.values_list("pk", "changed_at", "server__changed_at"))
        if stamp != _stamp:
            _stamp, _mcp = stamp, _mcp_tools(list(offered.select_related("server")))
    return {**builtin(), **_mcp}


def extras_for(surface: Surface) -> list[Extra]:
    """What a turn on this surface may be offered beside the product's tools."""
    return [
        tool.extra()
        for name, tool in catalogue().items()
        if name not in ALL and (not tool.surfaces or surface.value in tool.surfaces)
    ]


def forget() -> None:
    """Read again at the next look: after a change in this process."""
    global _looked_at
    _looked_at = None


def _mcp_tools(rows: list[McpTool]) -> dict[str, Tool]:
    if not rows:
        return {}
    from support_agent.runtime.mcp.tools import tool_of  # only where a server is configured

    return {tool.name: tool for row in rows if (tool := tool_of(row)) is not None}
