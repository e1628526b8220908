"""Which prompts a replay speaks with: those of the turn's time, or the version that was asked for."""

from __future__ import annotations

import re
from datetime import datetime

from support_agent.agent.prompts import Prompt, named, prompt
from support_agent.models import PromptVersion, Turn
from support_agent.runtime.controls import controls
from support_agent.runtime.prompting import ACTS
from tickets.errors import DeskError
from tickets.models import AuditEntry

NAMES = ("assistant", "planner", "memory", "assist")  # the last speaks in summaries and drafts, from its file alone
FILE, ACTIVE = "file", "active"
_SPOKEN = re.compile(r"(?:(assistant|planner|memory|assist)-)?db(\d+)(?:-[0-9a-f]{8})?")


class UnknownPrompt(DeskError):
    """There is no such version."""

    code = "unknown_prompt"


def prompts_then(turn: Turn, moment: datetime) -> tuple[dict[str, Prompt], list[str]]:
    """(overrides of the files as they spoke then, what could not be had again)."""
    notes: list[str] = []
    found = {name: then for name in ("planner", "memory") if (then := _active_then(name, moment)) is not None}
    spoke = turn.prompt_version
    if match := _SPOKEN.fullmatch(spoke):
        version = PromptVersion.objects.filter(name="assistant", number=int(match[2])).first()
        if version is not None:
            found["assistant"] = _prompt(version)
    elif (name := spoke.partition("-")[0]) in ("assistant", "assist") and spoke != prompt(name).version:
        notes.append(f"The file of that time ({spoke}) has changed since; today's spoke.")
    if spoke.startswith("assistant-db") and "assistant" not in found:
        notes.append(f"The version that spoke then ({spoke}) is gone; the file spoke.")
    return found, notes


def prompt_wanted(wanted: str) -> dict[str, Prompt | None]:
    """What `wanted` overrides: a number, `file` or `active`, of the assistant's prompt unless `planner:` or `memory:`
    stands before it, or a version as turns note it. None is the file. Raises UnknownPrompt."""
    name, _, version = wanted.strip().rpartition(":")
    name, version = (name or "assistant").strip().lower(), version.strip().lower()
    if match := _SPOKEN.fullmatch(version):
        name, version = match[1] or name, match[2]
    if name not in NAMES:
        raise UnknownPrompt(f"There is no prompt “{name}”; there are {', '.join(NAMES)}.")
    if version in (FILE, prompt(name).version):
        return {name: None}
    if version == ACTIVE:
        return {name: controls().prompts.get(name)}
    found = PromptVersion.objects.filter(name=name, number=int(version)).first() if _is_number(version) else None
    if found is None:
        raise UnknownPrompt(
            f"There is no version “{version}” of the prompt {name}; a version is a number, file or active."
        )
    return {name: _prompt(found)}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _active_then(name: str, moment: datetime) -> Prompt | None:
    """The version that the audit says was active; None is the file. Turns note the assistant's version only."""
    versions = {str(version.pk): version for version in PromptVersion.objects.filter(name=name)}
    if not versions:
        return None
    acts = AuditEntry.objects.filter(action__in=ACTS, object_id__in=versions, created_at__lte=moment)
    last = acts.order_by("-created_at").first()
    if last is None or last.action == "prompt.use_file":
        return None
    return _prompt(versions[last.object_id])


def _prompt(version: PromptVersion) -> Prompt:
    return named(version.name, f"db{version.number}", version.text)
