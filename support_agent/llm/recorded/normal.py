"""A request in the form that is kept and compared: prompts, tools and schemas by their names and hashes, people and
passing values by names, results of tools as the JSON they are, pictures by their hash.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx2

from support_agent.agent.prompts import NAMES, prompt
from support_agent.llm.recorded.values import Values

Json = dict[str, Any]
HEADERS = ("anthropic-version", "anthropic-beta")
OPAQUE = {"signature", "data"}  # what only the API can read
AS_IT_IS = {"type", "role", "model"}
_SEALED = re.compile(r"sealed-[0-9a-f]{12}")


def normal_request(request: httpx2.Request, content: bytes, values: Values) -> Json:
    """The request as it is kept and compared; what it says is learned by `values` on the way."""
    found: Json = {"call": f"{request.method} /v1/{request.url.path.partition('/v1/')[2]}"}
    found |= {"headers": {name: request.headers[name] for name in HEADERS if name in request.headers}}
    try:
        body = json.loads(content)
    except ValueError:
        body = {"text": content.decode(errors="replace")}
    if not isinstance(body, dict):
        body = {"value": body}
    named = _by_names(body)
    rest = {name: _plain(value) for name, value in sorted(body.items()) if name not in named and name != "messages"}
    messages = [_message(message) for message in body.get("messages", [])]
    values.learn(texts_of([rest, messages]))
    found |= {name: hidden(value, values) for name, value in rest.items()} | named
    return found | {"messages": [hidden(message, values) for message in messages], "cached": _cached(body)}


def hidden(node: Any, values: Values, *, blots: bool = True) -> Any:
    """The JSON with names for its values."""
    if isinstance(node, str):
        return values.hide(_with_prompts(node) if blots else node, blots=blots)
    if isinstance(node, list):
        return [hidden(item, values, blots=blots) for item in node]
    if not isinstance(node, dict):
        return node
    shown: Json = {}
    for name, value in node.items():
        if name in OPAQUE and isinstance(value, str):
            shown[name] = sealed(value)
        elif name in values.hiding.fields and blots and isinstance(value, int | float):
            shown[name] = f"⟦{name}⟧"
        else:
            shown[name] = value if name in AS_IT_IS else hidden(value, values, blots=blots)
    return shown


def texts_of(node: Any) -> Iterator[str]:
    """Every text in which a value may stand."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from texts_of(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name not in AS_IT_IS | OPAQUE:
                yield from texts_of(value)


def sealed(value: str) -> str:
    """What stands for bytes that only the API can read; for itself, when it is that already."""
    return value if not value or _SEALED.fullmatch(value) else f"sealed-{_digest(value, 12)}"


def _by_names(body: Json) -> Json:
    """The long parts that are ours, by their names."""
    found: Json = {}
    if "system" in body:
        found["system"] = [prompt_named(_text(block)) for block in _blocks(body["system"])]
    if "tools" in body:
        found["tools"] = [f"{tool.get('name')} {_digest(_plain(tool), 8)}" for tool in body["tools"]]
    if schema := (body.get("output_config") or {}).get("format", {}).get("schema"):
        output, named = body["output_config"], f"{schema.get('title', 'schema')}-{_digest(schema, 8)}"
        found["output_config"] = {**output, "format": {**output["format"], "schema": named}}
    return found


def prompt_named(text: str) -> str:
    """The version of the prompt whose text this is, `prompt-<hash>` for one that no file holds."""
    return _prompts().get(text) or f"prompt-{_digest(text, 8)}"


@cache
def _prompts() -> dict[str, str]:
    return {found.text: found.version for found in map(prompt, NAMES)}


def _with_prompts(text: str) -> str:
    """The text with the names of prompts that stand within it, as the notices carry the specialists'."""
    for known, version in _prompts().items():
        if len(text) >= len(known) and known in text:
            text = text.replace(known, f"⟦{version}⟧")
    return text


def _message(message: Json) -> Json:
    """Without cache marks; a text alone as a string; the result of a tool as its JSON."""
    blocks = [_block(block) for block in _blocks(message.get("content"))]
    alone = len(blocks) == 1 and set(blocks[0]) == {"type", "text"}
    return {**_plain(message), "content": blocks[0]["text"] if alone else blocks}


def _block(block: Json) -> Json:
    block = _plain(block)
    if block.get("type") == "tool_result" and isinstance(block.get("content"), str):
        try:
            result = json.loads(block["content"])
        except ValueError:
            return block
        return {**block, "content": result} if isinstance(result, dict) else block
    return block


def _plain(node: Any) -> Any:
    """The same without cache marks, which are listed on their own: they move from call to call."""
    if isinstance(node, dict):
        return {name: _plain(value) for name, value in node.items() if name != "cache_control"}
    return [_plain(item) for item in node] if isinstance(node, list) else node


def _cached(node: Any, path: str = "") -> list[str]:
    """Where the cache marks are."""
    found = [path] if isinstance(node, dict) and "cache_control" in node else []
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return found + [mark for name, item in inner for mark in _cached(item, f"{path}.{name}".lstrip("."))]


def _blocks(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])


def _text(block: Json) -> str:
    return str(block.get("text", ""))


def _digest(value: Any, length: int) -> str:
    raw = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:length]
