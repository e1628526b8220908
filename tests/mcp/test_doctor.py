"""What the doctor says of own tools and MCP servers."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from support_agent import doctor
from support_agent.doctor import here
from support_agent.models import McpServer, McpTool
from tests.mcp.conftest import Make

LOOKUP = {"category": "lookup"}


def said(check: str = "mcp") -> list[tuple[str, str]]:
    return [(found.state, found.detail) for found in doctor.examine() if found.name == check]


def test_nothing_is_said_where_there_is_none(transactional_db: None) -> None:
    assert said() == []
    assert said("own tools") == []


def test_a_server_in_use_one_with_tools_to_look_at_and_one_that_failed(server: Make) -> None:
    server(allow={"stock_level": LOOKUP})
    assert said() == [("ok", "shop: 1 of 1 tools allowed")]
    McpServer.objects.update(trouble="The program has ended.")
    assert said() == [("note", "shop: 1 of 1 tools allowed; its last failure: The program has ended.")]
    McpTool.objects.update(state="changed")
    assert said() == [("note", "shop: 0 of 1 tools allowed, 1 to look at")]
    McpServer.objects.update(is_active=False)
    assert said() == [("note", "shop: 0 of 1 tools allowed, switched off")]


def test_own_modules_are_named(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.AGENT_TOOLS = ["shop.tools"]
    monkeypatch.setattr(here, "own_tools", lambda: {"stock_level": None, "book_slot": None})
    assert said("own tools") == [("ok", "stock_level, book_slot (from shop.tools)")]
