"""Answers taken from articles, word for word: the sentences of the best sections that speak of what was asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from support_agent.llm.demo.text import tokens

Json = dict[str, Any]
MOST_WORDS = 70
STOP = frozenset(
    "a an the and or but if of to in on at for from by with about is are was were be been do does did have has had i you we they it "
    "this that these those my your our me us can could will would should may what when where which who how why please hi hello hey "
    "thanks there any some not so as get got need want know tell just also much many long order one then than too very like use using "
    "help question out up go going im let".split()
)
SYNONYMS = {
    "cost": "price",
    "costs": "price",
    "fee": "price",
    "charge": "price",
    "pay": "payment",
    "paid": "payment",
    "ship": "shipping",
    "deliver": "shipping",
    "delivery": "shipping",
    "delivered": "shipping",
    "send": "shipping",
    "arrive": "shipping",
    "login": "sign",
    "log": "sign",
    "signin": "sign",
    "europe": "eu",
    "germany": "eu",
    "france": "eu",
    "back": "return",
}


def stems(text: str) -> set[str]:
    """Content words, cut to their stems, so that 'returned' meets 'returns'."""
    return {_stem(SYNONYMS.get(word, word)) for word in tokens(text) if word not in STOP}


def _stem(word: str) -> str:
    return re.sub(r"(ing|ies|ed|es|s|ly)$", "", word) if len(word) > 4 else word.rstrip("s")


def sentences(snippet: str) -> list[str]:
    """Whole sentences and list items; a cut-off end, table rows and headings are left out."""
    found: list[str] = []
    for line in re.split(r"\n+", snippet.strip()):
        plain = re.sub(r"[*_`#>]+", "", line).strip()
        plain = re.sub(r"^(?:[-•]|\d{1,2}[.)])\s+", "", plain)
        if "|" in plain or "\t" in plain:
            continue
        found.extend(piece.strip() for piece in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9\"(])", plain))
    return [
        said
        for said in found
        if re.search(r"[.!?:)]$", said) and len(said.split()) >= 3 and not said.endswith((":", "…", "..."))
    ]


def answer(question: str, results: Sequence[Json]) -> str:
    """Up to three sentences with their source numbers, or '' when nothing speaks of the question."""
    wanted = stems(question)
    best = sorted(
        (
            (_score(wanted, said, row, at, place), place, at, said, row)
            for place, row in enumerate(results[:3])
            for at, said in enumerate(sentences(str(row.get("snippet") or "")))
        ),
        key=lambda found: (-found[0], found[1], found[2]),
    )
    if not best:
        return ""
    lead = best[0][1]
    chosen = [found for found in best if found[1] == lead][:3]
    chosen += [found for found in best[:4] if found[1] != lead and found[0] > 0.8 * best[0][0]][:1]
    kept: list[tuple[Any, ...]] = []
    for found in chosen:
        if sum(len(one[3].split()) for one in kept) + len(found[3].split()) <= MOST_WORDS or not kept:
            kept.append(found)
    kept.sort(key=lambda found: (found[1] != lead, found[1], found[2]))
    return _cited(kept)


def _score(wanted: set[str], said: str, row: Json, at: int, place: int) -> float:
    """Words in common weigh most; the section's opening and the higher ranked article break ties."""
    common = len(wanted & stems(said))
    heading = len(wanted & stems(f"{row.get('title', '')} {row.get('section', '')}"))
    return common / (1 + 0.02 * len(said.split())) + 0.25 * heading + 0.6 / (1 + at) + 0.8 / (1 + place)


def _cited(kept: Sequence[tuple[Any, ...]]) -> str:
    """Sentences joined, each run from one source closed by its [n]."""
    text = ""
    for index, (_, _, _, said, row) in enumerate(kept):
        text += (" " if text else "") + said
        if index + 1 == len(kept) or kept[index + 1][4] is not row:
            text += f" [{row.get('n')}]"
    return text
