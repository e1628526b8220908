"""The fake refuses what the real Messages API refuses: a green run against it means something."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.normal import Json
from tests.fakes.replies import says
from tests.fakes.scripted import ScriptedModel

HEADERS = {"authorization": "Bearer test-key", "anthropic-version": "2026-10-21", "content-type": "application/json"}
TOOL: Json = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
USER: Json = {"role": "user", "content": "Hi"}
SYSTEM: Json = {"role": "system", "content": "date: today"}
SAID: Json = {"role": "assistant", "content": "Hello"}
USE: Json = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT: Json = {"type": "tool_result", "tool_use_id": "t1", "content": "{}"}
MARK: Json = {"cache_control": {"type": "ephemeral"}}


async def post(body: Any, **headers: str | None) -> tuple[int, Json]:
    """Status and JSON of one request to a fresh fake; a header of None is left out."""
    api = FakeMessagesAPI(ScriptedModel(says("Yes.")))
    sent = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with httpx2.AsyncClient(transport=api.transport()) as client:
        response = await client.post(
            "http://fake/v1/messages",
            content=body if isinstance(body, str) else json.dumps(body),
            headers={name: value for name, value in sent.items() if value is not None},
        )
    return response.status_code, response.json()


def body(*messages: Json, **fields: Any) -> Json:
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 100,
        "messages": list(messages) or [USER],
        **fields,
    }


def user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def text(words: str, **fields: Any) -> Json:
    return {"type": "text", "text": words, **fields}


def without(name: str) -> Json:
    return {key: value for key, value in body().items() if key != name}


def found(cited: bool) -> Json:
    return {
        "type": "search_result",
        "source": "/help/x/",
        "title": "X",
        "content": [text("x")],
        "citations": {"enabled": cited},
    }


def output(schema: Json) -> Json:
    return {"format": {"type": "json_schema", "schema": schema}}


CLOSED: Json = {"type": "object", "properties": {}, "additionalProperties": False}

ACCEPTED = {
    "a question": body(),
    "a notice at the end": body(USER, SYSTEM),
    "a notice before an answer": body(USER, SYSTEM, SAID, USER, SYSTEM),
    "neighbours of one role": body(USER, USER, SAID, SAID, USER),
    "a tool loop with a notice": body(USER, assistant(USE), user(RESULT, text("and?")), SYSTEM, tools=[TOOL]),
    "a loop in two user messages": body(USER, assistant(USE), user(RESULT), USER, tools=[TOOL]),
    "four cache marks": body(user(*[text(str(i), **MARK) for i in range(4)])),
    "structured output": body(output_config=output(CLOSED)),
    "search results": body(USER, assistant(USE), user({**RESULT, "content": [found(True)] * 2}), tools=[TOOL]),
    "automatic choice": body(tools=[TOOL], tool_choice={"type": "auto"}),
    "no tools for once": body(tools=[TOOL], tool_choice={"type": "none"}),
    "haiku without thinking": body(model="claude-haiku-5-5", thinking={"type": "disabled"}),
    "haiku forced": body(model="claude-haiku-5-5", tools=[TOOL], tool_choice={"type": "any"}),
    "between tools": body(thinking={"type": "between_tools"}),
    "adaptive": body(model="claude-opus-5-5", thinking={"type": "adaptive"}, output_config={"effort": "max"}),
}

REFUSED = {
    "temperature": body(temperature=0.5),
    "top_p": body(top_p=1),
    "top_k": body(top_k=1),
    "an unknown field": body(prompt="x"),
    "no max_tokens": without("max_tokens"),
    "no model": without("model"),
    "no messages": without("messages"),
    "no message": body(messages=[]),
    "max_tokens of nothing": body(max_tokens=0),
    "a result missing": body(USER, assistant(USE), USER, tools=[TOOL]),
    "a call at the end": body(USER, assistant(USE), tools=[TOOL]),
    "a result too many": body(USER, SAID, user(RESULT), tools=[TOOL]),
    "a result twice": body(USER, assistant(USE), user(RESULT, RESULT), tools=[TOOL]),
    "a result after a text": body(USER, assistant(USE), user(text("so"), RESULT), tools=[TOOL]),
    "a result late": body(USER, assistant(USE), USER, SAID, user(RESULT), tools=[TOOL]),
    "one id twice": body(USER, assistant(USE, USE), user(RESULT), tools=[TOOL]),
    "tool blocks without tools": body(USER, assistant(USE), user(RESULT)),
    "a mark of ours on a call": body(USER, assistant({**USE, "invalid_json": "{"}), user(RESULT), tools=[TOOL]),
    "arguments that are no object": body(USER, assistant({**USE, "input": "{"}), user(RESULT), tools=[TOOL]),
    "a blank text": body(user(text(" \n"))),
    "an empty text": body(user(text(""))),
    "empty content": body({"role": "user", "content": ""}),
    "a blank text in an answer": body(USER, assistant(text("\n")), USER),
    "two notices in a row": body(USER, SYSTEM, SYSTEM),
    "a notice first": body(SYSTEM, USER),
    "a notice between questions": body(USER, SYSTEM, USER),
    "a notice after an answer": body(USER, SAID, SYSTEM),
    "a notice that is no text": body(USER, {"role": "system", "content": [RESULT]}),
    "an answer first": body(SAID, USER),
    "a prefill": body(USER, SAID),
    "five cache marks": body(user(*[text(str(i), **MARK) for i in range(5)])),
    "marks over all parts": body(
        user(text("a", **MARK), text("b", **MARK), text("c", **MARK)),
        system=[text("s", **MARK)],
        tools=[{**TOOL, **MARK}],
    ),
    "a tool name with a space": body(tools=[{**TOOL, "name": "look up"}]),
    "a tool name too long": body(tools=[{**TOOL, "name": "x" * 65}]),
    "a tool twice": body(tools=[TOOL, TOOL]),
    "a tool without schema": body(tools=[{"name": "look"}]),
    "a schema of type array": body(tools=[{**TOOL, "input_schema": {"type": "array"}}]),
    "a schema with anyOf on top": body(tools=[{**TOOL, "input_schema": {"type": "object", "anyOf": []}}]),
    "a forced tool on sonnet": body(tools=[TOOL], tool_choice={"type": "tool", "name": "look"}),
    "a forced tool on opus": body(model="claude-opus-5-5", tools=[TOOL], tool_choice={"type": "any"}),
    "a choice without tools": body(tool_choice={"type": "auto"}),
    "a thinking budget": body(thinking={"type": "enabled", "budget_tokens": 2000}),
    "a thinking budget on haiku": body(model="claude-haiku-5-5", thinking={"type": "enabled", "budget_tokens": 2000}),
    "sonnet disabled": body(thinking={"type": "disabled"}),
    "opus disabled": body(model="claude-opus-5-5", thinking={"type": "disabled"}),
    "opus between tools": body(model="claude-opus-5-5", thinking={"type": "between_tools"}),
    "haiku between tools": body(model="claude-haiku-5-5", thinking={"type": "between_tools"}),
    "haiku disabled at great effort": body(
        model="claude-haiku-5-5", thinking={"type": "disabled"}, output_config={"effort": "xhigh"}
    ),
    "an invented thinking block": body(USER, assistant({"type": "thinking", "thinking": "", "signature": "x"}), USER),
    "citations with a format": body(
        USER,
        assistant(USE),
        user({**RESULT, "content": [found(True)]}),
        tools=[TOOL],
        output_config=output(CLOSED),
    ),
    "citations on some results": body(
        USER, assistant(USE), user({**RESULT, "content": [found(True), found(False)]}), tools=[TOOL]
    ),
    "results mixed with text": body(
        USER, assistant(USE), user({**RESULT, "content": [found(True), text("x")]}), tools=[TOOL]
    ),
    "an open output schema": body(output_config=output({"type": "object", "properties": {}})),
    "a range in the output schema": body(
        output_config=output({**CLOSED, "properties": {"n": {"type": "number", "maximum": 1}}})
    ),
}


@pytest.mark.parametrize("sent", ACCEPTED.values(), ids=ACCEPTED)
async def test_it_takes(sent: Json) -> None:
    status, answer = await post(sent)
    assert (status, answer.get("error")) == (200, None)
    assert answer["content"] == [{"type": "text", "text": "Yes."}]
    assert answer["usage"]["output_tokens"] > 0


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
async def test_it_refuses(sent: Json) -> None:
    status, answer = await post(sent)
    assert (status, answer["type"], answer["error"]["type"]) == (400, "error", "invalid_request_error")
    assert answer["error"]["message"]


async def test_an_unknown_model_is_not_found() -> None:
    status, answer = await post(body(model="claude-sonnet-4-5"))
    assert (status, answer["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize("key", ["Bearer other", None])
async def test_a_wrong_or_missing_key(key: str | None) -> None:
    status, answer = await post(body(), authorization=key)
    assert (status, answer["error"]["type"]) == (401, "authentication_error")


@pytest.mark.parametrize("version", ["2020-01-01", None])
async def test_a_wrong_or_missing_version(version: str | None) -> None:
    assert (await post(body(), anthropic_version=version))[0] == 400


@pytest.mark.parametrize("raw", ["{", "[]", "null", '"text"'])
async def test_a_body_that_is_no_object(raw: str) -> None:
    assert (await post(raw))[0] == 400
