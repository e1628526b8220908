"""AGENT_TOOLS: a company's own modules, loaded at the start, refused with a sentence."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support_agent.agent.toolkit import Arguments, Category, Status, Tool, ToolContext, ToolResult
from support_agent.agent.types import Surface
from support_agent.runtime.catalogue import catalogue, extras_for
from support_agent.tools import own
from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets.services import effects

ROOT = Path(__file__).resolve().parents[2]


def look(context: ToolContext, arguments: Arguments) -> ToolResult:
    return ToolResult(Status.SUCCESS, {"pieces": 7})


STOCK = Tool(
    name="stock_level",
    description="How many pieces are there. Use it for stock.",
    arguments=Arguments,
    run=look,
    category=Category.LOOKUP,
    label="Looking …",
    surfaces=frozenset({"paying"}),
    subjects=frozenset({"orders"}),
)
RESERVE = replace(STOCK, name="reserve", category=Category.MUTATION)
Load = Any


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads a made-up module `shop_tools` with these names in it; forgets it afterwards."""
    known = list(effects.performers)

    def loading(**names: Any) -> None:
        module = ModuleType("shop_tools")
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, "shop_tools", module)
        own.load(["shop_tools"])

    yield loading
    own._own.clear()
    effects.performers[:] = known


@pytest.mark.django_db
def test_an_own_tool_stands_in_the_catalogue_and_is_offered_where_it_says(load: Load) -> None:
    load(TOOLS=[STOCK])
    assert catalogue()["stock_level"] is STOCK
    (extra,) = extras_for(Surface.PAYING)
    assert (extra.name, extra.purpose) == ("stock_level", "How many pieces are there")
    assert extras_for(Surface.ANONYMOUS) == []


def test_its_performer_is_found_by_the_tools_name(load: Load) -> None:
    class Performs:
        pass

    performer: Any = Performs()
    load(TOOLS=[STOCK], PERFORMERS={"stock_level": performer})
    assert effects.performer_of("stock_level") is performer
    assert effects.performer_of("cancel_order") is None


@pytest.mark.django_db
def test_an_own_tool_may_propose_a_change_of_the_products_own(load: Load) -> None:
    load(TOOLS=[RESERVE], PERFORMERS={"reserve": None})
    assert catalogue()["reserve"] is RESERVE
    assert effects.performer_of("reserve") is None


@pytest.mark.django_db
def test_what_was_offered_before_its_module_went_is_told_honestly(cast: Cast) -> None:
    talk = Talk(cast.owner)
    action = talk.do("reserve", sku="TNT-2P-GRN")
    assert action.state == "failed"
    assert action.receipt == {
        "reason": "conflict",
        "message": "This can no longer be done here. A person can help.",
    }


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({}, "has no list TOOLS"),
        ({"TOOLS": []}, "has no list TOOLS"),
        ({"TOOLS": ["stock"]}, "has no list TOOLS"),
        ({"TOOLS": [replace(STOCK, name="lookup_order")]}, "lookup_order is the name of another tool"),
        ({"TOOLS": [STOCK, STOCK]}, "stock_level is the name of another tool"),
        ({"TOOLS": [replace(STOCK, name="mcp_stock")]}, "not beginning with mcp_"),
        ({"TOOLS": [replace(STOCK, name="Stock level")]}, "is no name for a tool"),
        ({"TOOLS": [replace(STOCK, subjects=frozenset({"tents"}))]}, "belongs to tents; subjects are account"),
        ({"TOOLS": [replace(STOCK, surfaces=frozenset({"moon"}))]}, "is offered on moon; surfaces are anonymous"),
        ({"TOOLS": [replace(STOCK, category=Category.MUTATION, unverified=True)]}, "cannot be offered to customers"),
        ({"TOOLS": [RESERVE]}, "in shop_tools, reserve proposes, but PERFORMERS has nobody who does it"),
        ({"TOOLS": [STOCK, RESERVE], "PERFORMERS": {"stock_level": None}}, "PERFORMERS has nobody who does it"),
        ({"TOOLS": [STOCK], "PERFORMERS": []}, "is no dict of performers"),
        ({"TOOLS": [STOCK], "PERFORMERS": {"refund": 1}}, "performs refund, which is none of its tools"),
    ],
)
def test_what_cannot_be_used_stops_the_start_with_one_sentence(names: Any, said: str, load: Load) -> None:
    with pytest.raises(own.OwnToolsError) as stopped:
        load(**names)
    assert said in str(stopped.value)
    assert str(stopped.value).startswith("AGENT_TOOLS: ")
    assert "\n" not in str(stopped.value)


def test_a_path_that_leads_nowhere_stops_the_product_itself() -> None:
    """As an operator sees it: the last line of any command."""
    run = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "AGENT_TOOLS": "nowhere.tools", "DEBUG": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert run.stderr.strip().splitlines()[-1].startswith("AGENT_TOOLS: nowhere.tools cannot be imported")
