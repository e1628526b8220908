"""Answers taken from articles, word for word: the run of sentences of a section that speaks best of what was asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from support_agent.llm.demo import lexicon
from support_agent.llm.demo.text import tokens

Json = dict[str, Any]
MOST_WORDS = 75
SUMMARY = 0.15  # an article's own summary says most in fewest words
_STOP = frozenset(lexicon.data("lexicon")["stop"])
_STEPS = re.compile(r"\bhow (do|can|to|does|should)\b|\bsteps?\b|\bset ?up\b|\breset\b", re.I)


@dataclass(frozen=True, slots=True)
class Piece:
    """A whole sentence, list item or table row; `line` tells which line of the section it stands on."""

    text: str
    line: int
    opens: bool  # first of its line
    stems: frozenset[str]
    words: int


def answer(question: str, results: Sequence[Json], said: str = "") -> str:
    """The best run of pieces with its source's number; '' when no whole sentence is left that was not `said`."""
    wanted, steps = stems(question), bool(_STEPS.search(question))
    best: tuple[float, list[Piece], Json] | None = None
    for place, row in enumerate(results[:4]):
        title, section = stems(str(row.get("title", ""))), stems(str(row.get("section", "")))
        titled = _share(wanted, title)
        trust = 0.7 * titled - 0.2 * place
        summary = pieces(str(row.get("summary") or ""))[:1]
        named = titled >= 0.6 or (bool(title) and title <= wanted)
        runs = [(trust + (4 * SUMMARY if named else SUMMARY), [one], title) for one in summary]
        bonus = trust + 0.3 * _share(wanted, section)
        runs += [(bonus, run, set()) for run in _runs(pieces(str(row.get("snippet") or "")))]
        for bonus, run, known in runs:
            score = bonus + _score(run, wanted, known, steps)
            if (best is None or score > best[0]) and not any(one.text in said for one in run):
                best = (score, run, row)
    return f"{_joined(best[1])} [{best[2].get('n')}]" if best else ""


@cache
def _same() -> dict[str, str]:
    """Stems of other words for the same thing, to the stem that stands for them."""
    groups: list[list[str]] = lexicon.data("lexicon")["same"]
    return {_stem(word): _stem(group[0]) for group in groups for word in group}


def stems(text: str) -> set[str]:
    """Content words cut to their stems, so that 'returned' meets 'returns'."""
    return {_same().get(stem, stem) for word in tokens(text) if word not in _STOP and (stem := _stem(word))}


def pieces(snippet: str) -> list[Piece]:
    """What can be quoted: a cut-off end and headings are left out."""
    found: list[Piece] = []
    for number, line in enumerate(snippet.strip().splitlines()):
        plain = re.sub(r"^\s*(?:[-•*>#]+|\d{1,2}[.)])\s+", "", line).replace("**", "").replace("`", "").strip()
        for at, said in enumerate(re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"(])", plain)):
            row = bool(re.match(r"[^.:]{1,40}: \S", said))
            whole = said[-1:] in tuple(".!?)") or row
            if whole and len(said.split()) >= 2 and not said.endswith(("…", "...")):
                found.append(Piece(said, number, at == 0, frozenset(stems(said)), len(said.split())))
    return found


def _runs(parts: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Every run of neighbours of at most MOST_WORDS words; a run begins where a line does, or with one sentence."""
    for start in range(len(parts)):
        words = 0
        for end in range(start, len(parts)):
            words += parts[end].words
            if words > MOST_WORDS and end > start:
                break
            yield list(parts[start : end + 1])


def _share(wanted: set[str], words: set[str]) -> float:
    return len(wanted & words) / max(1, len(wanted))


def _score(run: Sequence[Piece], wanted: set[str], known: set[str], steps: bool) -> float:
    """The share of the question it speaks of, less its length; how-to questions bear more of it."""
    words = sum(piece.words for piece in run)
    covered = _share(wanted, known.union(*(piece.stems for piece in run)))
    length = words / (320 if steps else 130)
    opening = 0.2 * run[0].opens + 0.15 * (run[0].line == 0)
    too_short = 0.3 if words < 6 else 0.0
    return 1.6 * covered - length + opening - too_short


def _joined(run: Sequence[Piece]) -> str:
    """Sentences in a row; three lines or more as a list."""
    lines: dict[int, list[str]] = {}
    for piece in run:
        lines.setdefault(piece.line, []).append(piece.text)
    texts = [" ".join(said) for said in lines.values()]
    short = all(len(text.split()) <= 30 for text in texts)
    return (
        "\n".join(f"- {text}" for text in texts)
        if len(texts) >= 3 and short
        else " ".join(_stop(text) for text in texts)
    )


def _stop(text: str) -> str:
    return text if text[-1] in ".!?)" else f"{text}."


def _stem(word: str) -> str:
    return re.sub(r"(ations?|ing|ies|ed|es|s|ly|e)$", "", word) if len(word) > 4 else word.rstrip("s")
