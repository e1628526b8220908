"""A streamed message, put together event by event, with what is known of its spend at any moment."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from support_agent.agent.types import INVALID_JSON, Block, Json, Spend, Usage
from support_agent.llm.failures import Broken, Fault
from support_agent.llm.pricing import cost_usd, is_priced

_CHARS_PER_TOKEN = 3.5  # of a model's own prose and JSON: the estimate for calls whose final usage never came
_NOTHING = Usage()
# What reading JSON of another shape raises.
_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Assembly:
    """One attempt's message. Feed it the API's events; blocks come out exactly as they were streamed."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.content: list[Block] = []
        self.stop_reason: str | None = None
        self.begun = False  # message_start came: the prompt is being charged
        self._usage = _NOTHING
        self._final = False
        self._streamed_chars = 0
        self._tool_json: dict[int, list[str]] = {}

    def take(self, events: Iterable[Json]) -> tuple[str, Broken | None]:
        """Take what came together: (the answer's text in it, what broke it); all before the break counts."""
        text = ""
        try:
            for event in events:
                text += self.feed(event)
        except Broken as broken:
            return text, broken
        return text, None

    def feed(self, event: Json) -> str:
        """Take one event; returns the answer's text in it, '' for everything else. Raises Broken when malformed."""
        try:
            return self._take_event(event)
        except _MALFORMED as error:
            raise Broken(Fault("broken_stream", f"a malformed event: {error!r}")) from error

    def _take_event(self, event: Json) -> str:
        match event["type"]:
            case "content_block_delta":
                return self._delta(event["index"], event["delta"])
            case "content_block_start":
                self.content.append(dict(event["content_block"]))
                return self.content[-1].get("text") or ""
            case "content_block_stop" if event["index"] in self._tool_json:
                self._close_tool(event["index"])
            case "message_start":
                message = event["message"]
                self.model, self._usage, self.begun = message["model"], usage_of(message["usage"]), True
            case "message_delta":
                self.stop_reason = event["delta"].get("stop_reason")
                self._usage, self._final = usage_of(event["usage"], self._usage), True
        return ""

    def finish(self) -> None:
        """The stream ended: a tool call that max_tokens cut off has no `content_block_stop` of its own."""
        for index in list(self._tool_json):
            self._close_tool(index)

    def take_whole(self, message: Json) -> None:
        """A whole message that was not streamed. Raises Broken when it is none, or not finished."""
        try:
            model, usage, content = message["model"], usage_of(message["usage"]), [*map(dict, message["content"])]
            chars = sum(len(block.get("text") or "") for block in content)
            stop_reason = message["stop_reason"]
        except _MALFORMED as error:
            raise Broken(Fault("broken_stream", f"the answer is no message: {error!r}")) from error
        if not stop_reason:
            raise Broken(Fault("broken_stream", "the answer is no finished message"))
        self.begun, self._final, self.model, self._usage = True, True, model, usage
        self.content, self.stop_reason, self._streamed_chars = content, stop_reason, chars

    def assume_prompt(self, tokens: int) -> None:
        """The prompt was read, but no usage will ever come: count it as about `tokens`."""
        self.begun, self._usage = True, Usage(input_tokens=tokens)

    def spend(self) -> Spend:
        """What the attempt cost so far; the output is an estimate until the final usage came."""
        if not self.begun:
            return Spend()
        if self._final and self.stop_reason == "refusal" and not self._streamed_chars:
            return Spend()  # refused before any output: not charged
        usage = self._usage
        if not self._final:
            written = max(usage.output_tokens, math.ceil(self._streamed_chars / _CHARS_PER_TOKEN))
            usage = Usage(usage.input_tokens, written, usage.cache_read_tokens, usage.cache_write_tokens)
        return spend_of(self.model, usage, estimated=not self._final)

    def _delta(self, index: int, delta: Json) -> str:
        block = self.content[index]
        match delta["type"]:
            case "text_delta":
                text: str = delta["text"]
                block["text"] += text
                self._streamed_chars += len(text)
                return text
            case "thinking_delta":
                block["thinking"] += delta["thinking"]
                self._streamed_chars += len(delta["thinking"])
            case "signature_delta":
                block["signature"] = block.get("signature", "") + delta["signature"]
            case "input_json_delta":
                self._tool_json.setdefault(index, []).append(delta["partial_json"])
                self._streamed_chars += len(delta["partial_json"])
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
        return ""

    def _close_tool(self, index: int) -> None:
        raw = "".join(self._tool_json.pop(index))
        self.content[index].update(_tool_input(raw))


def _tool_input(raw: str) -> Block:
    """`input` from its streamed JSON; what is no JSON object becomes {} with the text beside it."""
    if not raw.strip():
        return {"input": {}}
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    return {"input": value} if isinstance(value, dict) else {"input": {}, INVALID_JSON: raw[:2000]}


def usage_of(reported: Json, before: Usage = _NOTHING) -> Usage:
    """The API's usage object; fields it leaves out keep the value they had."""

    def latest(name: str, fallback: int) -> int:
        value = reported.get(name)
        return fallback if value is None else int(value)

    return Usage(
        input_tokens=latest("input_tokens", before.input_tokens),
        output_tokens=latest("output_tokens", before.output_tokens),
        cache_read_tokens=latest("cache_read_input_tokens", before.cache_read_tokens),
        cache_write_tokens=latest("cache_creation_input_tokens", before.cache_write_tokens),
    )


def spend_of(model: str, usage: Usage, *, estimated: bool = False) -> Spend:
    """Usage with its price; estimated as well where the model's own price is unknown."""
    return Spend(usage, cost_usd(model, usage), estimated or not is_priced(model))
