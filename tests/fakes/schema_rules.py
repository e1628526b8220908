"""What the API refuses of tool definitions and of structured output's schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.refusal import demand

TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
TOOL_FIELDS = {"name", "description", "input_schema", "cache_control", "type", "strict", "eager_input_streaming"}
# Grammar-constrained output knows shapes and choices, but neither ranges nor lengths.
UNSUPPORTED = {
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
    "uniqueItems", "minProperties", "maxProperties",
}  # fmt: skip


def check_tool(tool: Any) -> str:
    """One entry of `tools`; returns its name."""
    demand(isinstance(tool, dict), "tools: must be objects")
    name = tool.get("name")
    demand(
        isinstance(name, str) and bool(TOOL_NAME.match(name)), f"tools: name {name!r} must match {TOOL_NAME.pattern}"
    )
    for key in tool:
        demand(key in TOOL_FIELDS, f"tools.{name}.{key}: Extra inputs are not permitted")
    schema = tool.get("input_schema")
    demand(isinstance(schema, dict), f"tools.{name}.input_schema: Field required")
    demand(schema.get("type") == "object", f"tools.{name}.input_schema.type: must be 'object'")
    for combinator in ("oneOf", "anyOf", "allOf"):
        demand(combinator not in schema, f"tools.{name}.input_schema: {combinator} is not supported at the top level")
    return str(name)


def check_output_schema(schema: Any) -> None:
    """Every object closed, no keyword that the decoder cannot enforce."""
    demand(isinstance(schema, dict), "output_config.format.schema: Field required")
    for node in _nodes(schema):
        for keyword in UNSUPPORTED & set(node):
            demand(False, f"output_config.format.schema: property '{keyword}' is not supported")
        if node.get("type") == "object":
            closed = node.get("additionalProperties") is False
            demand(closed, "output_config.format.schema: objects need 'additionalProperties': false")


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and every schema in it."""
    if not isinstance(schema, dict):
        return
    yield schema
    for holder in ("properties", "$defs", "definitions"):
        for child in (schema.get(holder) or {}).values():
            yield from _nodes(child)
    yield from _nodes(schema.get("items"))
    for combinator in ("anyOf", "oneOf", "allOf"):
        for child in schema.get(combinator) or []:
            yield from _nodes(child)
