"""How much of a text was kept in another: Levenshtein's distance in words, as it is used for speech and translation."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

MAX_WORDS = 1500  # of each text; a message has fewer


@dataclass(frozen=True, slots=True)
class Likeness:
    """`words_changed`: the fewest words put in, taken out or replaced; `similarity`: 1 - that by the longer's words."""

    similarity: float
    words_changed: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a difference: kept, removed or added."""

    kind: str
    text: str


def likeness(drafted: str, sent: str) -> Likeness:
    """Blanks and line ends count for nothing; two empty texts are alike."""
    before, after = drafted.split()[:MAX_WORDS], sent.split()[:MAX_WORDS]
    longest = max(len(before), len(after))
    changed = _distance(before, after)
    return Likeness(1.0 - changed / longest if longest else 1.0, changed)


def difference(drafted: str, sent: str) -> list[Piece]:
    """Both texts as one, word by word, for people to read: what was taken out before what was put in."""
    before, after = drafted.split()[:MAX_WORDS], sent.split()[:MAX_WORDS]
    pieces: list[Piece] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("kept", " ".join(before[i1:i2])))
            continue
        if i2 > i1:
            pieces.append(Piece("removed", " ".join(before[i1:i2])))
        if j2 > j1:
            pieces.append(Piece("added", " ".join(after[j1:j2])))
    return pieces


def _distance(before: list[str], after: list[str]) -> int:
    """Without what both begin and end with: mostly little is left to compare."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    before, after = before[start:], after[start:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    row = list(range(len(after) + 1))
    for i, old in enumerate(before, start=1):
        diagonal, row[0] = row[0], i
        for j, new in enumerate(after, start=1):
            kept = diagonal if old == new else 1 + min(diagonal, row[j], row[j - 1])
            diagonal, row[j] = row[j], kept
    return row[-1]
