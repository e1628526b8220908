"""Definitions made plain: what the Messages API takes, what is refused, and which arguments name a person."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from support_agent.runtime.mcp.results import result_of
from support_agent.runtime.mcp.schemas import Unusable, digest, input_schema, names_of_persons, tool_name

Json = dict[str, Any]


def schema(properties: Any = None, **more: Any) -> Json:
    return {"name": "x", "inputSchema": {"type": "object", "properties": properties or {}, **more}}


def test_references_are_written_out_and_patterns_left_out() -> None:
    day = {"type": "string", "pattern": "(a+)+$", "title": "Day", "description": "A  day\nof the week"}
    made = input_schema(schema({"when": {"$ref": "#/$defs/Day"}}, **{"$defs": {"Day": day}}, required=["when", "gone"]))
    assert made == {
        "type": "object",
        "properties": {"when": {"type": "string", "description": "A day of the week"}},
        "required": ["when"],
        "additionalProperties": False,
    }


def test_an_argument_may_be_called_like_a_keyword() -> None:
    made = input_schema(schema({"pattern": {"type": "string"}, "title": {"type": "string"}}))
    assert set(made["properties"]) == {"pattern", "title"}


@pytest.mark.parametrize(
    "definition",
    [
        {"name": "x"},
        {"name": "x", "inputSchema": {"type": "string"}},
        {"name": "x", "inputSchema": {"type": "object", "oneOf": []}},
        schema({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}}}),
        schema({"a": {"$ref": "https://evil.example/schema"}}),
        schema({"a": {"$ref": "#/nowhere"}}),
        schema({"a b": {"type": "string"}}),
        schema({f"a{n}": {"type": "string"} for n in range(31)}),
        schema({"a": {"enum": ["x" * 9000]}}),
    ],
)
def test_what_the_api_does_not_take_is_unusable(definition: Json) -> None:
    with pytest.raises(Unusable):
        input_schema(definition)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("customer_email", True),
        ("customerId", True),
        ("user", True),
        *(
            (name, True)
            for name in (
                "order_id",
                "orderNumber",
                "invoice",
                "ticket_id",
                "customerid",
                "userid",
                "cid",
                "loyalty_card",
                "booking",
                "memberNo",
                "subscription",
                "case_ref",
                "uid",
                "sub",
                "number",
                "rma_no",
                "ids",
            )
        ),
        ("city", False),
        ("week", False),
        ("sku", False),
        ("days", False),
        ("subject", False),
    ],
)
def test_names_of_persons(name: str, says: bool) -> None:
    assert names_of_persons(input_schema(schema({name: {"type": "string"}}))) == ([name] if says else [])


def test_a_person_deep_inside_an_argument() -> None:
    inner = {"type": "object", "properties": {"who": {"type": "object", "properties": {"e-mail": {}, "email": {}}}}}
    assert names_of_persons(input_schema(schema({"booking": inner}))) == ["booking"]


def test_names_fit_the_api_and_stay_apart() -> None:
    assert tool_name("shop", "stock_level") == "mcp_shop_stock_level"
    odd = {tool_name("shop", tool) for tool in ("a.b", "a-b", "a_b", "x" * 200, "x" * 201)}
    assert len(odd) == 5
    assert all(len(name) <= 64 and name.replace("_", "").isalnum() for name in odd)


def test_any_difference_is_another_digest() -> None:
    one = schema({"a": {"type": "string"}})
    assert digest(one) == digest({**one})
    assert digest(one) != digest({**one, "description": "x"})


def texts(*words: str) -> list[Json]:
    return [{"type": "text", "text": one} for one in words]


def test_a_text_that_is_json_is_read_as_such() -> None:
    assert result_of(texts('{"pieces": 7}'), None, is_error=False, limit=6000).data == {"result": {"pieces": 7}}


def test_what_is_no_text_is_left_out_and_said_so() -> None:
    blocks = [*texts("7 pieces"), {"type": "image", "data": "A" * 10}, {"type": "resource_link", "uri": "x:y"}]
    data = result_of(blocks, None, is_error=False, limit=6000).data
    assert data == {"result": "7 pieces", "left_out": "1 × image, 1 × resource_link"}


@override_settings(LINK_HOSTS={"shop.example"})
def test_links_lead_only_to_our_hosts() -> None:
    said = "See https://shop.example/a, https://evil.example/b, javascript://x and www.evil.example."
    (kept,) = result_of([], {"note": said}, is_error=False, limit=6000).data["result"].values()
    assert kept == "See https://shop.example/a, [link removed], [link removed] and [link removed]."


def test_a_large_answer_is_cut_to_its_size() -> None:
    assert len(str(result_of(texts("x" * 900_000), None, is_error=False, limit=2000).data)) < 1100
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    assert len(str(result_of([], {"deep": deep}, is_error=False, limit=2000).data)) < 200


def test_an_error_is_an_error_in_few_words() -> None:
    answer = result_of(texts("x" * 900_000), None, is_error=True, limit=2000)
    assert (answer.status, len(answer.data["message"])) == ("error", 500)
