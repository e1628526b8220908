"""Which words are mistyped: those that neither our articles nor the English language have."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from tickets.search.minilm import TOKENIZER

CONTRACTED = frozenset(
    "aint arent cant couldnt didnt doesnt dont hadnt hasnt havent heres hes hows im isnt its ive shes shouldnt thats "  # noqa: SIM905
    "theres theyre theyve wasnt werent whats wheres whos wont wouldnt youre youve".split()
)
"""What people write without the apostrophe; with it, they are stop words."""


def is_english(word: str) -> bool:
    """Whether an unknown word is an ordinary one all the same, and so no typo."""
    return word in _english()


_SMALL = frozenset(
    "a an and are can cannot do does for from get how i in is it my not of on the to what when where why you".split()  # noqa: SIM905
)


def looks_english(text: str) -> bool:
    """Whether a question asked on a page of another language is in English all the same: all of its words are, or most
    with one of those that every English sentence has."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    share = sum(word in _SMALL or is_english(word) for word in words) / (len(words) or 1)
    return bool(words) and (share == 1 or (share >= 0.75 and bool(_SMALL.intersection(words))))


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    """The whole words among the model's 30,000 word pieces."""
    pieces = json.loads(TOKENIZER.read_text(encoding="utf-8"))["model"]["vocab"]
    return frozenset(piece for piece in pieces if len(piece) > 2 and piece.isalpha())


def nearest(word: str, vocabulary: Mapping[str, int]) -> str | None:
    """The lexeme that a mistyped one stands for: one edit away, two from seven letters on; the fewest, then the one in
    most articles. An edit inserts, deletes or replaces a letter, or swaps it with its neighbour."""
    if len(word) < 4 or not word.isalpha():
        return None
    found = process.extract(
        word, vocabulary.keys(), scorer=OSA.distance, score_cutoff=1 if len(word) < 7 else 2, limit=None
    )
    return min(found, key=lambda near: (near[1], -vocabulary[near[0]], near[0]), default=(None,))[0]
