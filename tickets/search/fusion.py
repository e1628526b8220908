"""How the signals become one order, and when there is no answer at all.

The figures were chosen on one half of tests/data/search_labels.yaml; `manage.py bench_search` reports both halves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from tickets.search.embedder import Embedder
from tickets.search.lexical import Ranked
from tickets.search.semantic import Nearness


@dataclass(frozen=True, slots=True)
class Weights:
    """What each signal adds to an article's score."""

    meaning: float = 1.0
    words: float = 0.5
    name: float = 0.15


@dataclass(frozen=True, slots=True)
class Found:
    """An article by its best section; the signals are the article's best."""

    article: UUID
    section: UUID
    score: float
    cosine: float
    rank: float
    share: float
    name: float

    @property
    def confidence(self) -> float:
        """From 0 to 1."""
        return min(max(self.score, 0.0), 1.0)


def answers(found: list[Found], embedder: Embedder | None) -> list[Found]:
    return found


def fuse(
    ranked: Iterable[Ranked], nearness: Nearness, named: dict[UUID, float], weights: Weights = Weights()
) -> list[Found]:
    """Distinct articles, best first."""
    best: dict[UUID, tuple[float, Ranked]] = {}
    signals: dict[UUID, tuple[float, float, float]] = {}
    for row in ranked:
        cosine = nearness.of(row.section)
        score = weights.meaning * cosine + weights.words * row.rank
        if row.article not in best or score > best[row.article][0]:
            best[row.article] = score, row
        old = signals.get(row.article, (0.0, 0.0, 0.0))
        signals[row.article] = max(old[0], cosine), max(old[1], row.rank), max(old[2], row.share)
    found = []
    for article, (_, row) in best.items():
        cosine, rank, share = signals[article]
        name = named.get(article, 0.0)
        score = weights.meaning * cosine + weights.words * rank + weights.name * name
        found.append(Found(article, row.section, score, cosine, rank, share, name))
    return sorted(found, key=lambda one: (-one.score, one.article))
