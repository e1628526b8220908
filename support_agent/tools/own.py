"""Tools of a company's own: the modules that AGENT_TOOLS names, loaded at the start.

A module has `TOOLS: list[Tool]` and, where a tool proposes what another system does, `PERFORMERS: dict[str, Performer]`
by tool name: each tool of category MUTATION has one there, or None when it proposes a change of the product's own, such
as `cancel_order`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from support_agent.agent.toolkit import Category, Tool
from support_agent.tools import ALL
from tickets.services.effects import Performer, performers

SUBJECTS = frozenset({"orders", "billing", "account", "technical"})
SURFACES = frozenset({"anonymous", "signed_in", "paying", "enterprise", "background"})
RESERVED = "mcp_"  # names of tools that come from MCP servers
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_own: dict[str, Tool] = {}


class OwnToolsError(SystemExit):
    """AGENT_TOOLS cannot be used; the text is one sentence for the person who set it."""


def load(paths: Iterable[str]) -> None:
    """Load every module, at the start. Raises OwnToolsError."""
    for path in paths:
        module = _module(path)
        tools = getattr(module, "TOOLS", None)
        if not (isinstance(tools, list) and tools and all(isinstance(tool, Tool) for tool in tools)):
            raise OwnToolsError(f"AGENT_TOOLS: {path} has no list TOOLS of Tool objects.")
        for tool in tools:
            _check(path, tool)
            _own[tool.name] = tool
        _add_performers(path, tools, getattr(module, "PERFORMERS", {}))


def own_tools() -> Mapping[str, Tool]:
    """The loaded ones by name."""
    return _own


def builtin() -> dict[str, Tool]:
    """The product's tools and own ones: what is there without asking the database."""
    return {**ALL, **_own}


def _module(path: str) -> ModuleType:
    try:
        return import_module(path)
    except Exception as error:
        raise OwnToolsError(f"AGENT_TOOLS: {path} cannot be imported ({type(error).__name__}: {error}).") from error


def _check(path: str, tool: Tool) -> None:
    trouble = ""
    if not _NAME.fullmatch(tool.name) or tool.name.startswith(RESERVED):
        trouble = f"is no name for a tool: lower case letters, digits and _, 64 at most, not beginning with {RESERVED}"
    elif tool.name in ALL or tool.name in _own:
        trouble = "is the name of another tool"
    elif wrong := sorted(tool.subjects - SUBJECTS):
        trouble = f"belongs to {', '.join(wrong)}; subjects are {', '.join(sorted(SUBJECTS))}"
    elif wrong := sorted(tool.surfaces - SURFACES):
        trouble = f"is offered on {', '.join(wrong)}; surfaces are {', '.join(sorted(SURFACES))}"
    elif tool.unverified and tool.category not in (Category.SEARCH, Category.LOOKUP):
        trouble = "acts, so it cannot be offered to customers whom nobody has verified"
    if trouble:
        raise OwnToolsError(f"AGENT_TOOLS: in {path}, {tool.name} {trouble}.")


def _add_performers(path: str, tools: list[Tool], found: Any) -> None:
    if not isinstance(found, dict):
        raise OwnToolsError(f"AGENT_TOOLS: PERFORMERS in {path} is no dict of performers by tool name.")
    for name in found:
        if name not in _own:
            raise OwnToolsError(f"AGENT_TOOLS: {path} performs {name}, which is none of its tools.")
    for tool in tools:
        if tool.category == Category.MUTATION and tool.name not in found:
            raise OwnToolsError(
                f"AGENT_TOOLS: in {path}, {tool.name} proposes, but PERFORMERS has nobody who does it: "
                "add a performer, or None if it proposes one of the product's own changes."
            )
    if found:
        performers.append(partial(_performer, dict(found)))


def _performer(found: Mapping[str, Performer | None], tool: str) -> Performer | None:
    return found.get(tool)
