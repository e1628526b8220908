"""The file: JSON Lines. What and when first, then each conversation with its calls, a request and a response a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support_agent.agent.prompts import NAMES, prompt
from support_agent.llm.recorded.difference import shared

Json = dict[str, Any]
FORMAT = 1


class CassetteError(ValueError):
    """A file that is no cassette, or of another format; the text says what to do."""


@dataclass
class Exchange:
    """A request in its normal form, and how it was answered.

    Responses: {status, headers, events or body or text, end} where `end` is whole, left (by us, in the middle) or the
    transport's error; or {fails: the error} when nothing came back.
    """

    request: Json
    response: Json = field(default_factory=dict)


@dataclass
class Thread:
    """One conversation's calls in their order; `run` counts those of the same name from 1."""

    name: str
    run: int
    at: datetime  # when it began
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.name or 'conversation'}{f' (run {self.run})' if self.run > 1 else ''}"


@dataclass
class Cassette:
    """`about` is what the recorder was told: model, suite, repeat, and the command that records it anew."""

    about: Json
    threads: list[Thread]
    recorded: str = ""
    prompts: dict[str, str] = field(default_factory=dict)


def save(path: Path, about: Json, threads: Sequence[Thread]) -> None:
    """Write it, or leave what was there."""
    calls = [exchange for thread in threads for exchange in thread.exchanges]
    head = {
        "cassette": FORMAT,
        "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
        **about,
        "models": sorted({str(call.request.get("model")) for call in calls}),
        "prompts": {name: prompt(name).version for name in NAMES},
        "conversations": len(threads),
        "calls": len(calls),
    }
    lines = [head, *(line for thread in sorted(threads, key=_place) for line in _lines(thread))]
    written = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(written.encode("utf-8", "surrogatepass"))
    fresh.replace(path)


def load(path: Path) -> Cassette:
    """Read it. Raises CassetteError."""
    try:
        written = path.read_bytes().decode("utf-8", "surrogatepass")
        head, *rest = (json.loads(line) for line in written.split("\n") if line)
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CassetteError(f"{path} is no cassette: JSON Lines are expected") from None
    if not isinstance(head, dict) or head.get("cassette") != FORMAT:
        raise CassetteError(f"{path} is no cassette of format {FORMAT}: record it anew")
    known = {"cassette", "recorded", "models", "prompts", "conversations", "calls"}
    about = {name: value for name, value in head.items() if name not in known}
    try:
        return Cassette(about, _threads(rest), head["recorded"], head["prompts"])
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise CassetteError(f"{path} is damaged ({error!r}): record it anew") from None


def _place(thread: Thread) -> tuple[str, int]:
    return thread.name, thread.run


def _lines(thread: Thread) -> Iterator[Json]:
    yield {"conversation": thread.name, "run": thread.run, "at": thread.at.isoformat(timespec="seconds")}
    before: list[Json] = []
    for exchange in thread.exchanges:
        messages = exchange.request["messages"]
        same = shared(before, messages)
        yield {"request": {**exchange.request, "messages": messages[same:], "messages_as_before": same}}
        yield {"response": exchange.response}
        before = messages


def _threads(lines: Sequence[Json]) -> list[Thread]:
    threads: list[Thread] = []
    before: list[Json] = []
    for line in lines:
        if "conversation" in line:
            threads.append(Thread(line["conversation"], line["run"], datetime.fromisoformat(line["at"])))
            before = []
        elif "request" in line:
            request = dict(line["request"])
            before = before[: request.pop("messages_as_before")] + request["messages"]
            threads[-1].exchanges.append(Exchange({**request, "messages": before}))
        else:
            threads[-1].exchanges[-1].response = line["response"]
    return threads
