"""What an import did, and what it did not and why: for a terminal, for programs, for a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Deed(StrEnum):
    """What became of one record of the source."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"  # changed here as well as there: left as it is here
    SKIPPED = "skipped"  # broken, or of no use to us
    VANISHED = "vanished"  # no longer at the source
    RETIRED = "retired"  # vanished, and taken back into the drafts


@dataclass(frozen=True, slots=True)
class Line:
    """`where` is a file and line, or an id of the source; `why` is a sentence, empty where nothing is to be said."""

    deed: Deed
    where: str
    name: str = ""
    why: str = ""


@dataclass(slots=True)
class Report:
    """`notes` tell what was left out of records that came in all the same."""

    what: str
    source: str
    dry_run: bool
    lines: list[Line] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, deed: Deed, where: str, name: str = "", why: str = "") -> None:
        self.lines.append(Line(deed, where, name, why))

    @property
    def counts(self) -> dict[str, int]:
        counted = Counter(line.deed for line in self.lines)
        return {deed.value: counted[deed] for deed in Deed}

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the source had to be left out."""
        return not any(line.deed is Deed.SKIPPED for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "source": self.source,
            "dry_run": self.dry_run,
            "counts": self.counts,
            "lines": [asdict(line) for line in self.lines],
            "notes": [{"where": where, "note": note} for where, note in self.notes],
            "seconds": round(self.seconds, 1),
        }

    def as_text(self, *, most: int = 60) -> Iterator[str]:
        """The sums, then every line that has something to say, at most so many of them."""
        sums = ", ".join(f"{number} {name}" for name, number in self.counts.items() if number) or "nothing found"
        yield f"{self.what} of {self.source}: {sums}. {self.seconds:.1f} s."
        if self.dry_run:
            yield "A dry run: nothing was written."
        told = [f"{line.deed:<9} {line.where}  {line.why}" for line in self.lines if line.why]
        told += [f"{'note':<9} {where}  {note}" for where, note in self.notes]
        yield from told[:most]
        if len(told) > most:
            yield f"… and {len(told) - most} more: --report FILE writes them all."
