"""What a conversation is remembered by: plain values, made by the runtime and read by the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the conversation: role user or assistant; `pictures` are references (agent/pictures.py)."""

    seq: int
    role: str
    text: str
    pictures: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class LookedUp:
    """One tool call of an earlier turn; `seq` is that of the message after which it was made."""

    seq: int
    tool: str
    arguments: dict[str, Any]
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the conversation is reduced to: the summary of everything up to `upto`, and what came after it."""

    summary: str = ""
    upto: int = 0
    facts: tuple[str, ...] = ()  # from before `upto`, word for word: identifiers, names, promises
    said: Sequence[Said] = ()
    looked_up: Sequence[LookedUp] = ()
