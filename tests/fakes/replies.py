"""What a faked model says, and how its answer ends: the vocabulary of scripts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Json = dict[str, Any]
Block = dict[str, Any]
End = Literal["whole", "cut", "closed", "error", "hang"]

_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `end` says how its stream ends after `after` events; JSON both ways, so that it can cross processes.

    whole    as it should        cut      the connection breaks, in the middle of an event
    closed   a clean early end   error    an `error` event of the type `error`      hang     nothing more comes
    """

    content: Sequence[Block] = ()
    stop_reason: str = ""  # '' derives it: tool_use when there is one, else end_turn
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = "overloaded_error"
    message: str = "Overloaded"
    end: End = "whole"
    after: int = 0
    pace_s: float = 0.0  # before each event
    chunk_chars: int = 24

    def ends(self, end: End, *, after: int = 0, error: str = "overloaded_error") -> Reply:
        return replace(self, end=end, after=after, error=error)

    @property
    def reason(self) -> str:
        if self.stop_reason:
            return self.stop_reason
        return "tool_use" if any(block["type"] == "tool_use" for block in self.content) else "end_turn"


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def thinking(words: str) -> Block:
    """A thinking block; the API signs it."""
    return {"type": "thinking", "thinking": words}


def tool_use(name: str, arguments: Json | str, *, id: str = "") -> Block:
    """A tool call; arguments as a `str` are streamed as they are, which plays broken JSON."""
    return {"type": "tool_use", "id": id or f"toolu_{next(_ids):08d}", "name": name, "input": arguments}


def says(words: str, **options: Any) -> Reply:
    return Reply([text(words)], **options)


def calls(name: str, arguments: Json | str, *, id: str = "", before: Sequence[Block] = ()) -> Reply:
    """One tool call, after the blocks of `before`."""
    return Reply([*before, tool_use(name, arguments, id=id)])


def plans(plan: Json) -> Reply:
    """Structured output."""
    return Reply([text(json.dumps(plan))])


def fails(status: int, error: str, message: str = "it failed", **headers: str) -> Reply:
    """An error response; `retry_after='7'` becomes the header retry-after."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, error=error, message=message, headers=named)


def overloaded(**headers: str) -> Reply:
    return fails(529, "overloaded_error", "Overloaded", **headers)


def rate_limited(retry_after: str = "1") -> Reply:
    return fails(429, "rate_limit_error", "Too many requests", retry_after=retry_after)


def server_error() -> Reply:
    return fails(500, "api_error", "Internal server error")


def hangs(after: int = 0) -> Reply:
    return says("This never ends.").ends("hang", after=after)


def refuses(words: str = "") -> Reply:
    """A refusal, before any output or after some."""
    return Reply([text(words)] if words else [], stop_reason="refusal")
