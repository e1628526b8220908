"""Prompts as versioned files. A prompt's version is its own number and a hash of its text, so that no edit hides."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NAMES = (
    "assistant",
    "assist",
    "planner",
    "memory",
    *(f"specialists/{s}" for s in ("account", "billing", "orders", "technical")),
)
_FRONT = re.compile(r'\A---\nversion: "([^"]+)"\n---\n')


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    version: str
    text: str


@cache
def prompt(name: str) -> Prompt:
    """The prompt in `<name>.md` beside this file."""
    raw = (Path(__file__).parent / f"{name}.md").read_text(encoding="utf-8")
    match = _FRONT.match(raw)
    if match is None:
        raise ValueError(f"{name}.md needs front matter with a version")
    return named(name, match[1], raw[match.end() :].strip())


def named(name: str, number: str, text: str) -> Prompt:
    """A prompt with the version its number and text make."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Prompt(name, f"{name}-{number}-{digest}", text)
