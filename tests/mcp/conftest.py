"""MCP servers that behave in every way, as rows and as what is asked; sessions end with their test."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from support_agent.models import McpServer, McpTool
from support_agent.runtime import catalogue
from support_agent.runtime.mcp import sessions
from support_agent.runtime.mcp.listing import definitions_note
from support_agent.runtime.mcp.spec import Spec, sealed_secrets
from tests.fakes.mcp_server import BOOK, STOCK

PROGRAM = Path(__file__).resolve().parents[1] / "fakes" / "mcp_server.py"
Json = dict[str, Any]
Make = Callable[..., McpServer]


@pytest.fixture(autouse=True)
def _ended(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short times, a folder of its own, and no session left."""
    settings.DATA_DIR = tmp_path
    settings.MCP_PRIVATE = True
    monkeypatch.setattr(sessions, "LIST_S", 1.5)
    catalogue.forget()
    yield
    sessions.close_all()
    catalogue.forget()


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[Json]]:
    """What the program was called with."""
    return lambda: [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Make:
    """A stdio server of this manner; `allow` are fields of its tools by their own names."""

    def make(
        manner: str = "honest", *, name: str = "shop", allow: dict[str, Json] | None = None, **secrets: str
    ) -> McpServer:
        made = McpServer.objects.create(
            name=name,
            transport="stdio",
            command=sys.executable,
            arguments=[str(PROGRAM), manner, str(tmp_path / "calls")],
            sealed=sealed_secrets(secrets),
        )
        for tool, fields in (allow or {}).items():
            definition = definition_of(tool)
            definitions_note(server_id=made.pk, definitions=[*(row.definition for row in made.tools.all()), definition])
            row = made.tools.get(tool=tool)
            allow_as_listed(row, **fields)
        return made

    return make


def definition_of(tool: str) -> Json:
    """As the honest server lists it."""
    return {"stock_level": STOCK, "book_slot": BOOK}[tool]


def allow_as_listed(row: McpTool, **fields: Any) -> None:
    row.state, row.pinned, row.pinned_digest = McpTool.State.ALLOWED, row.definition, row.digest
    row.description = "How many pieces are there. Use it for stock."
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    catalogue.forget()


def spec(manner: str, tmp_path: Path, *more: str) -> Spec:
    return Spec("shop", "stdio", (sys.executable, str(PROGRAM), manner, *more), "", (), tmp_path / "shop")


def spec_http(url: str, tmp_path: Path, **headers: str) -> Spec:
    return Spec("shop", "http", (), url, tuple(headers.items()), tmp_path / "shop")
