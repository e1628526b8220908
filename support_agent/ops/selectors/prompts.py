"""Prompt versions for the page: which text of a prompt speaks, what its versions are, and what one would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from support_agent.agent.memory import estimate
from support_agent.agent.prompts import prompt
from support_agent.models import PromptVersion

NAMES = ("assistant", "planner", "memory")
FILE = "file"
CONTEXT = 2  # unchanged lines around a change


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a comparison: kind is same, added, removed, or skipped (then the text says how many)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What would change in what the assistant is told if `against` gave way to `shown`."""

    shown: str
    against: str
    lines: list[Line]
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class PromptPage:
    """One prompt: `active` is None while its file speaks; `text` is what speaks."""

    name: str
    text: str
    file_version: str
    tokens: int
    active: PromptVersion | None
    versions: list[PromptVersion]
    comparison: Comparison | None

    @property
    def offered(self) -> str:
        """The version to compare with what speaks when none is asked for: the newest that does not speak itself."""
        silent = [version.number for version in self.versions if not version.is_active]
        return str(max(silent)) if silent else FILE


def prompt_page(name: str, wanted: str = "", against: str = "") -> PromptPage:
    """The prompt of this name (or the assistant's), with the version `wanted` (a number, or 'file') compared `against`
    another, or the one that speaks.

    Two queries: the list of versions, and the texts of the one that speaks and of those compared.
    """
    name = name if name in NAMES else NAMES[0]
    mine = PromptVersion.objects.filter(name=name)
    versions = list(mine.defer("text").select_related("made_by"))
    active = next((version for version in versions if version.is_active), None)
    speaks = str(active.number) if active else FILE
    needed = [version.pk for version in versions if str(version.number) in (speaks, wanted, against)]
    file = prompt(name)
    found = mine.filter(pk__in=needed).values_list("number", "text")
    texts = {FILE: file.text} | {str(number): text for number, text in found}
    return PromptPage(
        name=name,
        text=texts[speaks],
        file_version=file.version,
        tokens=estimate(texts[speaks]),
        active=active,
        versions=versions,
        comparison=_comparison(texts, wanted, against, speaks),
    )


def _comparison(texts: dict[str, str], wanted: str, against: str, speaks: str) -> Comparison | None:
    """The wanted version against the other; without one against what speaks, what speaks itself against the file."""
    if wanted not in texts:
        return None
    if against not in texts:
        against = FILE if wanted == speaks else speaks
    lines = list(compared(texts[against], texts[wanted]))
    kinds = [line.kind for line in lines]
    return Comparison(_named(wanted), _named(against), lines, kinds.count("added"), kinds.count("removed"))


def compared(before: str, after: str) -> Iterator[Line]:
    """The lines that differ with a little around them; nothing when the texts are the same."""
    old, new = before.splitlines(), after.splitlines()
    end = 0
    for group in SequenceMatcher(a=old, b=new, autojunk=False).get_grouped_opcodes(CONTEXT):
        if skipped := group[0][1] - end:
            yield Line("skipped", f"{skipped} line{'s' * (skipped != 1)} the same")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (Line("same", text) for text in old[i1:i2])
            else:
                yield from (Line("removed", text) for text in old[i1:i2])
                yield from (Line("added", text) for text in new[j1:j2])
        end = group[-1][2]


def _named(version: str) -> str:
    return "the file" if version == FILE else f"version {version}"
