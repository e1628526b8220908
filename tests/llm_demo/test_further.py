"""The demo model with tools it has never seen: named in the plan, called, and told in plain words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support_agent.agent.extras import told, with_tools
from support_agent.agent.toolkit import Extra
from support_agent.agent.types import Plan, WiderPlan
from support_agent.llm.demo.brain import respond

Json = dict[str, Any]
STOCK = Extra("stock_level", "How many pieces of an article are in the warehouse", False, frozenset(), True)
BOOK = Extra("book_repair", "Book a repair in the workshop", True, frozenset(), False)
TOOL = {
    "name": "stock_level",
    "description": "How many pieces of an article are in the warehouse.",
    "input_schema": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
}


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def plan(text: str, *offered: Extra) -> Plan:
    schema = with_tools(Plan.model_json_schema(), offered)
    output = {"format": {"type": "json_schema", "schema": schema}}
    body = {
        "messages": [user(text), {"role": "system", "content": f"date: today\n{told(offered)}"}],
        "output_config": output,
    }
    blocks, _ = respond(body)
    return WiderPlan.model_validate(json.loads(blocks[0]["text"]))


@pytest.mark.parametrize(
    ("text", "tools"),
    [
        ("How many pieces of BIKE-7 are in your warehouse?", ["stock_level"]),
        ("I would like to book a repair for Friday", ["book_repair"]),
        ("Where is my order AP-100001?", []),
        ("I want to speak to a human about the repair in the workshop", []),
    ],
)
def test_the_plan_names_what_the_message_is_about(text: str, tools: list[str]) -> None:
    made = plan(text, STOCK, BOOK)
    assert getattr(made, "tools", []) == tools


def test_an_action_gets_its_step_and_without_any_the_plan_is_as_ever() -> None:
    assert "take_action" in [step.type for step in plan("I would like to book a repair", STOCK, BOOK).steps]
    assert "tools" not in plan("I would like to book a repair").model_fields_set


def test_it_is_called_with_what_the_message_says_and_its_answer_told() -> None:
    asked = user("How many pieces of BIKE-7 are in your warehouse?")
    (call,), reason = respond({"messages": [asked], "tools": [TOOL]})
    assert (reason, call["name"], call["input"]) == ("tool_use", "stock_level", {"sku": "BIKE-7"})
    result = {"status": "success", "result": {"sku": "BIKE-7", "pieces": 7}}
    answered = {"type": "tool_result", "tool_use_id": call["id"], "content": json.dumps(result)}
    messages = [asked, {"role": "assistant", "content": [call]}, {"role": "user", "content": [answered]}]
    (said,), _ = respond({"messages": messages, "tools": [TOOL]})
    assert said["text"] == "Here is what I found:\n- sku: BIKE-7\n- pieces: 7"


def test_what_is_lacking_is_asked_for() -> None:
    (said,), _ = respond({"messages": [user("How many pieces are in your warehouse?")], "tools": [TOOL]})
    assert said["text"] == "Could you tell me the sku?"
