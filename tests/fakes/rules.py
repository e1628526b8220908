"""What the Messages API refuses of a request before any model sees it."""

from __future__ import annotations

from typing import Any

from tests.fakes.message_rules import check_messages
from tests.fakes.normal import Json, blocks, segments
from tests.fakes.refusal import demand
from tests.fakes.schema_rules import check_output_schema, check_tool

VERSIONS = {"2023-06-01", "2026-10-21"}
MODELS = {"claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"}
PARAMETERS = {
    "model", "messages", "max_tokens", "system", "tools", "tool_choice", "thinking", "output_config", "stream",
    "stop_sequences", "metadata", "service_tier", "cache_control", "container", "diagnostics", "inference_geo", "speed",
}  # fmt: skip
THINKING = {
    "claude-haiku-5-5": {"adaptive", "disabled"},
    "claude-sonnet-5-5": {"adaptive", "between_tools"},
    "claude-opus-5-5": {"adaptive"},
}
EFFORTS = ("low", "medium", "high", "xhigh", "max")


def check_headers(headers: dict[str, str], api_key: str) -> None:
    """`headers` in lower case. A missing version is a 400, a wrong key a 401."""
    sent = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    demand(sent == api_key, "invalid x-api-key", status=401, kind="authentication_error")
    demand("anthropic-version" in headers, "anthropic-version: header is required")
    demand(headers["anthropic-version"] in VERSIONS, "anthropic-version: not a valid version")


def check_body(body: Any) -> None:
    """Raises Refused for the first thing that the API would not take."""
    demand(isinstance(body, dict), "the body must be a JSON object")
    for name in ("temperature", "top_p", "top_k"):
        demand(name not in body, f"{name}: not supported on this model")
    for name in body:
        demand(name in PARAMETERS, f"{name}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        demand(name in body, f"{name}: Field required")
    demand(body["model"] in MODELS, f"model: {body['model']}", status=404, kind="not_found_error")
    limit = body["max_tokens"]
    demand(type(limit) is int and 1 <= limit <= 128_000, "max_tokens: must be an integer in 1..128000")
    demand(isinstance(body.get("stream", False), bool), "stream: must be a boolean")
    _check_system(body.get("system"))
    _check_tools(body)
    check_messages(body)
    _check_thinking(body)
    _check_output(body)
    _check_cache_marks(body)


def _check_system(system: Any) -> None:
    demand(system is None or isinstance(system, str | list), "system: must be a string or a list of text blocks")
    for block in blocks(system) if isinstance(system, list) else []:
        demand(block.get("type") == "text", "system: only text blocks")
        demand(bool(str(block.get("text", "")).strip()), "system: text content blocks must be non-empty")


def _check_tools(body: Json) -> None:
    tools = body.get("tools") or []
    names = [check_tool(tool) for tool in tools]
    demand(len(set(names)) == len(names), "tools: Tool names must be unique.")
    choice = body.get("tool_choice")
    if choice is None:
        return
    demand(bool(tools), "tool_choice may only be specified while providing tools")
    kind = choice.get("type")
    demand(kind in {"auto", "any", "tool", "none"}, "tool_choice: unknown type")
    forced = kind in {"any", "tool"} and body["model"] != "claude-haiku-5-5"
    demand(not forced, "tool_choice: forced tool use is not supported on this model")


def _check_thinking(body: Json) -> None:
    thinking = body.get("thinking")
    effort = (body.get("output_config") or {}).get("effort") or "high"
    demand(effort in EFFORTS, "output_config.effort: unknown value")
    if thinking is None:
        return
    kind = thinking.get("type")
    demand(kind in THINKING[body["model"]], f'"thinking.type.{kind}" is not supported for this model')
    off = kind in {"disabled", "between_tools"}
    demand(not off or EFFORTS.index(effort) <= 2, f"thinking.type.{kind} needs an effort of high or less")


def _check_output(body: Json) -> None:
    form = (body.get("output_config") or {}).get("format")
    if form is None:
        return
    demand(form.get("type") == "json_schema", "output_config.format.type: must be json_schema")
    check_output_schema(form.get("schema"))
    cites = any(_cites(block) for block, _ in segments(body))
    demand(not cites, "citations cannot be used together with output_config.format")


def _cites(block: Json) -> bool:
    inner = block.get("content") if block.get("type") == "tool_result" else None
    enabled = (block.get("citations") or {}) if isinstance(block.get("citations"), dict) else {}
    return bool(enabled.get("enabled")) or any(_cites(part) for part in (inner if isinstance(inner, list) else []))


def _check_cache_marks(body: Json) -> None:
    marked = [block for block, _ in segments(body) if "cache_control" in block]
    demand(len(marked) <= 4, f"A maximum of 4 blocks with cache_control may be provided. Found {len(marked)}.")
    for block in marked:
        mark = block["cache_control"]
        demand(mark.get("type") == "ephemeral" and mark.get("ttl", "5m") in {"5m", "1h"}, "cache_control: invalid")
        demand("thinking" not in str(block.get("type")), "cache_control: not allowed on thinking blocks")
