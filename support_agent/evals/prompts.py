"""Which prompt versions speak in a run: those that are active in the real database, or one on trial in its place."""

from __future__ import annotations

from collections.abc import Mapping

from support_agent.models import PromptVersion
from support_agent.runtime.controls import forget

NAMES = ("assistant", "planner", "memory")
FILE = "file"
Spoken = Mapping[str, PromptVersion | None]
"""A version for each prompt's name; None is the file."""


def active() -> dict[str, PromptVersion | None]:
    """What speaks in the real database."""
    rows = {version.name: version for version in PromptVersion.objects.filter(is_active=True)}
    return {name: rows.get(name) for name in NAMES}


def wanted(text: str) -> tuple[str, PromptVersion | None]:
    """`assistant:3` or `assistant:file`. Raises ValueError with a sentence."""
    name, _, number = text.strip().lower().partition(":")
    if name not in NAMES:
        raise ValueError(f"--prompt takes NAME:NUMBER or NAME:file, with one of {', '.join(NAMES)} as NAME")
    if number == FILE:
        return name, None
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    found = PromptVersion.objects.filter(name=name, number=int(number)).first() if is_number else None
    if found is None:
        raise ValueError(f"there is no version “{number}” of the prompt {name}")
    return name, found


def put(spoken: Spoken) -> None:
    """Let them speak in the throw-away database."""
    for name, version in spoken.items():
        if version is not None:
            PromptVersion.objects.create(name=name, number=version.number, text=version.text, is_active=True)
    forget()


def numbers(spoken: Spoken) -> dict[str, int | None]:
    return {name: version.number if version else None for name, version in spoken.items()}
