"""Pictures in messages, as the engine holds them: a name and an id, never the pixels.

Only the port to the model puts the pixels in (runtime/pictures.py), so that checkpoints, steps and traces stay small
and an image that is erased is gone everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from support_agent.agent.types import Block, Json, ModelRequest, TurnInput

_NAMED = re.compile(r"^\(attached image: (.*)\)$", re.MULTILINE)
MAX_TOKENS = 1_500
"""Upper bound of what one costs: the model gets at most a million pixels of it, some 750 of which are a token."""


def reference(picture_id: UUID | str, name: str) -> Block:
    """A picture as it stands in messages until they are sent."""
    return {"type": "image", "source": {"type": "attachment", "id": str(picture_id), "name": name}}


def named(name: str) -> str:
    """How a customer's message says that an image came with it."""
    return f"(attached image: {name})"


def without_named(text: str) -> str:
    """A message without its images' names: what the customer wrote."""
    return _NAMED.sub("", text).strip()


def only_names(text: str) -> str:
    """A message with the names alone, which are the customer's words too; the rest is ours and nobody's attack."""
    return _NAMED.sub(r"\1", text)


def is_reference(block: Json) -> bool:
    return bool(block["type"] == "image" and block["source"]["type"] == "attachment")


def referred(messages: Iterable[Json]) -> list[str]:
    """The ids of the pictures these messages refer to."""
    return [block["source"]["id"] for message in messages for block in _blocks(message) if is_reference(block)]


def filled(request: ModelRequest, of: Callable[[Json], Block]) -> ModelRequest:
    """The request with each reference replaced by the block that `of` makes of its source."""
    messages = [
        {**message, "content": [of(block["source"]) if is_reference(block) else block for block in _blocks(message)]}
        if any(map(is_reference, _blocks(message)))
        else message
        for message in request.messages
    ]
    return replace(request, messages=messages)


def newest_words(turn: TurnInput) -> Json:
    """The customer's newest message for the model: its pictures first, then its words."""
    content: str | Sequence[Block] = turn.text
    if turn.pictures:
        content = [*turn.pictures, {"type": "text", "text": turn.text}]
    return {"role": "user", "content": content}


def _blocks(message: Json) -> list[Block]:
    content = message["content"]
    return [] if isinstance(content, str) else content
