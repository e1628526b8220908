"""The agent's tools, by name: thin, over the desk's services and selectors."""

from __future__ import annotations

from support_agent.agent.toolkit import Tool
from support_agent.tools import customers, escalation, identity, knowledge, orders, returns, tickets

ALL: dict[str, Tool] = {
    tool.name: tool
    for module in (knowledge, customers, orders, returns, tickets, identity, escalation)
    for tool in module.TOOLS
}
