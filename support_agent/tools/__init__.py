"""The agent's tools, by name: thin, over the desk's services and selectors."""

from __future__ import annotations

from dataclasses import replace

from support_agent.agent.toolkit import Tool
from support_agent.tools import customers, escalation, identity, knowledge, orders, returns, tickets
from tickets.backends import backend

OF_RECORDS = frozenset(tool.name for module in (customers, orders, returns) for tool in module.TOOLS)


def placed(tool: Tool) -> Tool:
    """A tool of the records runs where nothing of the database is held, when the records are another system's."""
    return replace(tool, outside=True) if tool.name in OF_RECORDS and backend().is_remote else tool


ALL: dict[str, Tool] = {
    tool.name: placed(tool)
    for module in (knowledge, customers, orders, returns, tickets, identity, escalation)
    for tool in module.TOOLS
}
