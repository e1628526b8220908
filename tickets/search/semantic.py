"""Nearest sections by meaning: an exact search over the vectors in memory."""

from __future__ import annotations

import numpy as np

from tickets.audience import Readers
from tickets.search.embedder import Embedder, Vectors, embed_query, foreign_topics
from tickets.search.snapshot import Snapshot

NEAREST = 40


class Nearness:
    """The cosine of a question to every section; false without a model, without vectors, or when the model fails.

    `related` is the embedder's, `foreign` the cosine to the nearest topic that is not ours.
    """

    def __init__(self, snapshot: Snapshot, embedder: Embedder | None, question: str) -> None:
        self._snapshot = snapshot
        self._cosines: Vectors = np.empty(0, dtype=np.float32)
        self.related = self.foreign = 0.0
        if embedder is None or not len(snapshot.vectors):
            return
        vector = embed_query(embedder, question)
        if vector is not None and len(vector) == snapshot.vectors.shape[1]:
            self._cosines = snapshot.vectors @ vector
            self.related = embedder.related
            self.foreign = float((foreign_topics(embedder) @ vector).max())

    def __bool__(self) -> bool:
        return bool(len(self._cosines))

    def of(self, section: str) -> float:
        """From -1 to 1; 0 for a section without a vector."""
        row = self._snapshot.rows.get(section)
        return float(self._cosines[row]) if self and row is not None else 0.0

    def nearest(self, readers: Readers, category: str | None = None) -> list[str]:
        """The NEAREST sections that these readers may read, of one category or of all; in no order."""
        scores = self._cosines
        if self:
            scores = np.where(np.isin(self._snapshot.audiences, list(readers)), scores, -2.0)
        if category and self:
            scores = np.where(self._snapshot.categories == category, scores, -2.0)
        count = min(NEAREST, len(scores))
        best: list[int] = np.argpartition(scores, -count)[-count:].tolist() if count else []
        return [self._snapshot.sections[row] for row in best if scores[row] > -2.0]
