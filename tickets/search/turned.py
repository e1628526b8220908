"""Sections' vectors in memory, so kept that a search need not read them all.

They are turned so that their first third tells most of a product (the corpus's own main directions come first). A
search reads that third of every row, takes the best rows by it, and reads the rest of those alone. A turn changes no
product: what is found has its exact cosine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tickets.search.embedder import Vectors

FEW = 5_000  # up to here every row is read whole: turning would save nothing
SHORTLIST = 1_600
"""At least so many rows, and one in SHARE, are read whole: of the 40 nearest among 34,000, 99.8 % are among them."""
SHARE = 40
SAMPLE = 20_000  # rows that tell the main directions

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Turned:
    """n rows of width w: `head` is (n, h) and `rest` (n, w - h); `turn` (w, w) is None while there are few rows."""

    head: Vectors
    rest: Vectors
    turn: Vectors | None = None

    def __len__(self) -> int:
        return len(self.head)

    @property
    def width(self) -> int:
        return int(self.head.shape[1] + self.rest.shape[1])

    def rows(self, of: Sequence[int]) -> Vectors:
        """These rows as they are kept, (len(of), w)."""
        return np.hstack([self.head[of], self.rest[of]])

    def asked(self, vector: Vectors) -> Asked:
        """A question's products with the rows."""
        return Asked(self, vector if self.turn is None else vector @ self.turn)


class Asked:
    """One question, turned as the rows are; `first` is its product with every row's head."""

    def __init__(self, rows: Turned, vector: Vectors) -> None:
        self._rows, size = rows, rows.head.shape[1]
        self._first, self._rest = rows.head @ vector[:size], vector[size:]

    def cosines(self, rows: Rows) -> Vectors:
        """Exact, for these rows."""
        found: Vectors = self._first[rows] + self._rows.rest[rows] @ self._rest
        return found

    def nearest(self, count: int, allowed: NDArray[np.bool_]) -> list[int]:
        """The `count` nearest of the rows that are allowed, or all of those when there are fewer; in no order."""
        first = np.where(allowed, self._first, -2.0)
        if self._rows.turn is None:
            rows = _best(first, count)
            return [int(row) for row in rows if allowed[row]]
        rows = _best(first, max(SHORTLIST, len(first) // SHARE))
        rows = rows[allowed[rows]]
        return [int(row) for row in rows[_best(self.cosines(rows), count)]]


def turned(vectors: Vectors, turn: Vectors | None = None) -> Turned:
    """Keep (n, w) rows: turned already by `turn`, or as they came, when there is none."""
    count, width = vectors.shape
    if turn is None and count > FEW:
        turn = _main_directions(vectors)
        vectors = vectors @ turn
    size = width if turn is None else width // 3
    # A product reads columns a third faster than rows; single rows are read the other way.
    return Turned(np.asfortranarray(vectors[:, :size]), np.ascontiguousarray(vectors[:, size:]), turn)


def _main_directions(vectors: Vectors) -> Vectors:
    """(w, w), orthonormal: the direction in which the rows' products are largest first."""
    sample = vectors[:: max(1, len(vectors) // SAMPLE)]
    _, directions = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    return np.ascontiguousarray(directions[:, ::-1], dtype=np.float32)


def _best(scores: Vectors, count: int) -> Rows:
    count = min(count, len(scores))
    return np.argpartition(scores, -count)[-count:] if count else np.empty(0, dtype=np.intp)
