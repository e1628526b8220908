"""The system prompt a turn had: its text by its version, and what has changed in it since."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from support_agent.agent.prompts import Prompt, named, prompt
from support_agent.models import PromptVersion
from support_agent.ops.selectors.prompts import Line, compared

NAME = "assistant"
_SAVED = re.compile(rf"{NAME}-db(\d+)-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class PromptUsed:
    """`text` is None when the file was changed since and kept no copy; `changes` lead to what speaks now."""

    version: str
    origin: str
    text: str | None
    number: str  # of a saved version, 'file' for the file, '' when unknown
    is_current: bool
    current: str
    changes: list[Line]

    @property
    def anchor(self) -> str:
        return "prompt-" + re.sub(r"[^\w-]", "-", self.version)


def prompts_used(versions: Collection[str]) -> dict[str, PromptUsed]:
    """Each version with its text; one query."""
    wanted = {version for version in versions if version}
    if not wanted:
        return {}
    numbers = [int(match[1]) for version in wanted if (match := _SAVED.fullmatch(version))]
    rows = PromptVersion.objects.filter(name=NAME)
    saved = {one.number: one for one in (rows.filter(number__in=numbers) | rows.filter(is_active=True))}
    known = {prompt(NAME).version: ("the file", "file", prompt(NAME))}
    for one in saved.values():
        made = _prompt_of(one)
        known[made.version] = (f"version {one.number}", str(one.number), made)
    active = next((_prompt_of(one) for one in saved.values() if one.is_active), prompt(NAME))
    return {version: _used(version, known.get(version), active) for version in wanted}


def _used(version: str, found: tuple[str, str, Prompt] | None, active: Prompt) -> PromptUsed:
    if found is None:
        return PromptUsed(version, "an earlier text of the file", None, "", False, active.version, [])
    origin, number, used = found
    is_current = used.version == active.version
    changes = [] if is_current else list(compared(used.text, active.text))
    return PromptUsed(version, origin, used.text, number, is_current, active.version, changes)


def _prompt_of(version: PromptVersion) -> Prompt:
    return named(NAME, f"db{version.number}", version.text)
