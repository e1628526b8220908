"""The example of docs/adding-a-tool.md, run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from support_agent.agent.toolkit import Tool
from support_agent.tools import ALL
from tests.cast import Cast
from tests.tools.conftest import Desk

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-tool.md"
TICKET = {"subject": "The zip is stuck", "body": "It has been stuck since May.", "category": "product"}


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Tool:
    """The tool, offered like the product's own."""
    code = re.search(r"```python\n(.*?)```", RECIPE.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    module: dict[str, Any] = {}
    exec(compile(code[1], str(RECIPE), "exec", dont_inherit=True), module)
    (tool,) = module["TOOLS"]
    assert isinstance(tool, Tool)
    monkeypatch.setitem(ALL, tool.name, tool)
    return tool


def test_a_customer_sees_their_own_tickets(example: Tool, owner: Desk, cast: Cast) -> None:
    made = owner.call("create_ticket", customer_email=cast.owner.email, **TICKET)["ticket"]
    Desk(cast.other).call("create_ticket", customer_email=cast.other.email, **TICKET)
    answer = owner.call(example.name, status="open")
    assert answer["status"] == "success"
    assert [ticket["number"] for ticket in answer["tickets"]] == [made["number"]]


def test_a_stranger_sees_none(example: Tool, stranger: Desk) -> None:
    assert stranger.call(example.name)["status"] == "needs_verification"


def test_the_api_takes_its_description(example: Tool) -> None:
    schema = example.schema()
    assert schema["input_schema"]["type"] == "object"
    assert set(schema["input_schema"]["properties"]) == {"status"}
