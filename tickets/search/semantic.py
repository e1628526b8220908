"""Nearest sections by meaning, over the vectors in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tickets.audience import Readers
from tickets.search.embedder import Embedder, embed_query, foreign_topics
from tickets.search.snapshot import Snapshot
from tickets.search.turned import Asked

NEAREST = 40


class Nearness:
    """The cosine of a question to every section; false without a model, without vectors, or when the model fails.

    `related` is the embedder's, `foreign` the cosine to the nearest topic that is not ours.
    """

    def __init__(self, snapshot: Snapshot, embedder: Embedder | None, question: str) -> None:
        self._snapshot = snapshot
        self._asked: Asked | None = None
        self.related = self.foreign = 0.0
        if embedder is None or not len(snapshot.vectors):
            return
        vector = embed_query(embedder, question)
        if vector is not None and len(vector) == snapshot.vectors.width:
            self._asked = snapshot.vectors.asked(vector)
            self.related = embedder.related
            self.foreign = float((foreign_topics(embedder) @ vector).max())

    def __bool__(self) -> bool:
        return self._asked is not None

    def of(self, sections: Sequence[str]) -> list[float]:
        """From -1 to 1, one for each; 0 for a section without a vector."""
        if self._asked is None:
            return [0.0] * len(sections)
        rows = np.array([self._snapshot.rows.get(section, -1) for section in sections], dtype=np.intp)
        cosines: list[float] = np.where(rows < 0, 0.0, self._asked.cosines(rows)).tolist()
        return cosines

    def nearest(self, readers: Readers, category: str | None = None, count: int = NEAREST) -> list[str]:
        """The nearest sections that these readers may read, of one category or of all; in no order."""
        if self._asked is None:
            return []
        rows = self._asked.nearest(count, self._snapshot.allowed(readers, category))
        return [self._snapshot.sections[row] for row in rows]
