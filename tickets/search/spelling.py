"""Which words are mistyped: those that neither our articles nor the English language have."""

from __future__ import annotations

import json
from functools import lru_cache

from tickets.search.minilm import TOKENIZER

CONTRACTED = frozenset(
    "aint arent cant couldnt didnt doesnt dont hadnt hasnt havent heres hes hows im isnt its ive shes shouldnt thats "  # noqa: SIM905
    "theres theyre theyve wasnt werent whats wheres whos wont wouldnt youre youve".split()
)
"""What people write without the apostrophe; with it, they are stop words."""


def is_english(word: str) -> bool:
    """Whether an unknown word is an ordinary one all the same, and so no typo."""
    return word in _english()


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    """The whole words among the model's 30,000 word pieces."""
    pieces = json.loads(TOKENIZER.read_text(encoding="utf-8"))["model"]["vocab"]
    return frozenset(piece for piece in pieces if len(piece) > 2 and piece.isalpha())


def edits(one: str, other: str) -> int:
    """Letters to insert, delete, replace or swap with their neighbour to make one word of the other."""
    rows = [list(range(len(other) + 1))]
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
