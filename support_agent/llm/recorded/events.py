"""A streamed answer as it stands in a cassette: the API's events in their order, runs of deltas on one line."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from support_agent.llm.recorded.normal import hidden, sealed, texts_of
from support_agent.llm.recorded.values import Values
from support_agent.llm.sse import encode_event

Json = dict[str, Any]
TEXT_OF = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "signature_delta": "signature",
}


def heard(raw: bytes, *, whole: bool) -> list[Json]:
    """The events of a stream; what is left of one that was cut in the middle is dropped with the line."""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    *blocks, rest = text.split("\n\n")
    if whole and rest.strip():
        blocks.append(rest)
    return [event for block in blocks if (event := _event(block)) is not None]


def told(event: Json) -> bytes:
    """The event as bytes on the wire."""
    return f"{event['raw']}\n\n".encode() if "raw" in event else encode_event(event)


def hide_events(events: Sequence[Json], values: Values) -> list[Json]:
    """The events with names for their values, also for those that came in pieces."""
    parts: dict[tuple[Any, str], list[int]] = defaultdict(list)
    for position, event in enumerate(events):
        if kind := _piece(event):
            parts[event.get("index"), kind].append(position)
    texts = {key: [events[i]["delta"][TEXT_OF[key[1]]] for i in found] for key, found in parts.items()}
    values.learn("".join(pieces) for (_, kind), pieces in texts.items() if kind != "signature_delta")
    others = [event for event in events if not _piece(event)]
    values.learn(texts_of(others))
    shown = [event if _piece(event) else hidden(event, values, blots=False) for event in events]
    for (_, kind), found in parts.items():
        pieces = texts[_, kind]
        if kind == "signature_delta":
            pieces = [sealed("".join(pieces)), *[""] * (len(pieces) - 1)]
        else:
            pieces = values.hide_pieces(pieces)
        for position, piece in zip(found, pieces, strict=True):
            event = events[position]
            shown[position] = {**event, "delta": {**event["delta"], TEXT_OF[kind]: piece}}
    return shown


def folded(events: Iterable[Json]) -> list[Json]:
    """Neighbouring deltas of a block as one entry with their `parts`."""
    lines: list[Json] = []
    for key, run in groupby(events, key=lambda event: (event.get("index"), _piece(event))):
        if key[1] is None:
            lines += run
        else:
            parts = [event["delta"][TEXT_OF[key[1]]] for event in run]
            lines.append({"type": key[1], "index": key[0], "parts": parts})
    return lines


def unfolded(lines: Iterable[Json]) -> Iterator[Json]:
    """The events of what `folded` has made."""
    for line in lines:
        if line.get("type") not in TEXT_OF:
            yield line
            continue
        for part in line["parts"]:
            delta = {"type": line["type"], TEXT_OF[line["type"]]: part}
            yield {"type": "content_block_delta", "index": line["index"], "delta": delta}


def _piece(event: Json) -> str | None:
    """The kind of delta, when it is one that brings a piece of a text and nothing else."""
    delta = event.get("delta")
    if event.get("type") != "content_block_delta" or not isinstance(delta, dict):
        return None
    kind = str(delta.get("type"))
    return kind if set(delta) == {"type", TEXT_OF.get(kind)} and set(event) == {"type", "index", "delta"} else None


def _event(block: str) -> Json | None:
    """One event; None for a comment. What is no JSON object stays as it was written."""
    data = [line.removeprefix("data:").removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
    if not data:
        return None
    try:
        found = json.loads("\n".join(data))
    except ValueError:
        found = None
    return found if isinstance(found, dict) and "type" in found else {"raw": block}
