"""The limit: a bare loop on Anthropic's SDK, which runs the tools that are asked for and asks again.

python -m tests.benchmarks.peers.bare --client default|aiohttp --url … --turns … --equal …
"""

from __future__ import annotations

import json
from typing import Any

import anthropic

from tests.benchmarks.peers.loop import Given, Json, Saw, Turn, main


def make(given: Given) -> Turn:
    """One turn of the loop; nothing is checked, written or shown."""
    http = anthropic.DefaultAioHttpClient() if given.client == "aiohttp" else None
    api = anthropic.AsyncAnthropic(api_key="a-key", base_url=given.url, http_client=http)
    equal = given.equal
    fixed: Any = {key: equal[key] for key in ("model", "max_tokens", "system", "tools")}

    async def turn(question: str, saw: Saw) -> str:
        messages: list[Any] = [{"role": "user", "content": question}]
        while True:
            content = await _ask(api, fixed, messages, saw)
            uses = [block for block in content if block["type"] == "tool_use"]
            if not uses:
                return "".join(block["text"] for block in content)
            results = [{"type": "tool_result", "tool_use_id": use["id"], "content": equal["result"]} for use in uses]
            messages += [{"role": "assistant", "content": content}, {"role": "user", "content": results}]

    return turn


async def _ask(api: anthropic.AsyncAnthropic, fixed: Any, messages: list[Any], saw: Saw) -> list[Json]:
    """The blocks of one streamed call."""
    blocks: list[Json] = []
    pieces: list[str] = []
    async for event in await api.messages.create(**fixed, messages=messages, stream=True):
        if event.type == "content_block_start":
            blocks.append(event.content_block.model_dump(exclude_none=True))
            pieces = []
        elif event.type == "content_block_delta":
            if event.delta.type == "text_delta":
                if not pieces:
                    saw()
                pieces.append(event.delta.text)
            elif event.delta.type == "input_json_delta":
                pieces.append(event.delta.partial_json)
        elif event.type == "content_block_stop":
            whole = "".join(pieces)
            blocks[-1].update({"text": whole} if blocks[-1]["type"] == "text" else {"input": json.loads(whole or "{}")})
    return blocks


if __name__ == "__main__":
    main(make)
