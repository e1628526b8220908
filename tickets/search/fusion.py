"""How the signals become one order, and when there is no answer at all.

The figures were chosen on every other question of tests/data/search_labels.yaml; `manage.py bench_search` reports that
half and the held-out one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tickets.search.lexical import Ranked
from tickets.search.semantic import Nearness

MEANING, SECOND, WORDS, SHARE, NAME = 1.0, 0.8, 0.4, 0.15, 0.1
"""What each signal adds: an article's best and second-best cosine, its rank by words, its share of them, its name."""
LEAST = 0.5
"""Below this confidence of the best article there is no answer."""
MOST = 50  # more than any page shows


@dataclass(slots=True)
class Found:
    """An article by its best section; the signals are the best of any of its sections."""

    article: str
    name: float
    section: str | None = None
    section_score: float = -math.inf
    cosine: float = 0.0
    second: float = 0.0
    rank: float = 0.0
    share: float = 0.0
    confidence: float = 0.0

    @property
    def score(self) -> float:
        """For the order alone."""
        return MEANING * self.cosine + SECOND * self.second + WORDS * self.rank + SHARE * self.share + NAME * self.name

    def see(self, row: Ranked, cosine: float) -> None:
        """Take one more section into account."""
        score = MEANING * cosine + WORDS * row.rank
        if score > self.section_score:
            self.section, self.section_score = row.section, score
        self.second = max(self.second, min(self.cosine, cosine))
        self.cosine = max(self.cosine, cosine)
        self.rank = max(self.rank, row.rank)
        self.share = max(self.share, row.share)


def fuse(ranked: Iterable[Ranked], nearness: Nearness, named: dict[str, float]) -> list[Found]:
    """Distinct articles, best first; none at all when the best one is not about the question."""
    articles: dict[str, Found] = {}
    ranked = list(ranked)
    for row, cosine in zip(ranked, nearness.of([row.section for row in ranked]), strict=True):
        found = articles.setdefault(row.article, Found(row.article, named.get(row.article, 0.0)))
        found.see(row, cosine)
    ordered = sorted(articles.values(), key=lambda found: (-found.score, found.article))[:MOST]
    for found in ordered:
        found.confidence = _confidence(found, nearness)
    return ordered if ordered and ordered[0].confidence >= LEAST else []


def _confidence(found: Found, nearness: Nearness) -> float:
    """From 0 to 1: a logistic regression on whether the question was one of ours; 1 for an exact name."""
    if found.name >= 2:
        return 1.0
    if nearness:
        evidence = 6.1 * (found.cosine - nearness.related) - 4.5 * nearness.foreign + 4.0 * found.rank
    else:
        evidence = 5.5 * (found.share - 0.3)
    return 1 / (1 + math.exp(-evidence))
