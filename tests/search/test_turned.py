"""Vectors kept turned: the same products, and the nearest rows without reading all of every row."""

from __future__ import annotations

import numpy as np
import pytest

from tickets.search import turned as module
from tickets.search.embedder import Vectors
from tickets.search.turned import turned


def rows(count: int, seed: int = 3) -> Vectors:
    """Unit vectors near 60 directions, as sections gather about topics."""
    noise = np.random.default_rng(seed)
    topics = noise.normal(size=(60, 96))
    found = topics[noise.integers(60, size=count)] + noise.normal(scale=0.5, size=(count, 96))
    unit: Vectors = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.mark.parametrize("count", [40, 12_000])
def test_a_turn_changes_no_product(count: int) -> None:
    vectors, question = rows(count), rows(1, seed=4)[0]
    kept = turned(vectors)
    assert (kept.turn is None) == (count <= module.FEW)
    assert (len(kept), kept.width) == vectors.shape
    some = np.array([0, 7, count - 1])
    assert kept.asked(question).cosines(some) == pytest.approx(vectors[some] @ question, abs=1e-5)


@pytest.mark.parametrize("count", [40, 12_000])
def test_the_nearest_are_those_that_are_allowed(count: int) -> None:
    vectors = rows(count)
    kept, allowed = turned(vectors), np.arange(count) % 3 == 0
    shares = []
    for question in rows(20, seed=4):
        exact = np.where(allowed, vectors @ question, -2.0)
        found = kept.asked(question).nearest(10, allowed)
        assert len(found) == 10
        assert allowed[found].all()
        shares.append(len(set(found) & set(np.argsort(-exact)[:10])) / 10)
    assert np.mean(shares) >= 0.99


def test_fewer_rows_than_asked_for() -> None:
    asked = turned(rows(5)).asked(rows(1)[0])
    assert sorted(asked.nearest(40, np.ones(5, dtype=bool))) == [0, 1, 2, 3, 4]
    assert asked.nearest(40, np.zeros(5, dtype=bool)) == []


def test_rows_that_come_later_are_kept_by_the_same_turn() -> None:
    first, later, question = rows(12_000), rows(3, seed=8), rows(1, seed=4)[0]
    kept = turned(first)
    assert kept.turn is not None
    both = turned(np.vstack([kept.rows(range(12_000)), later @ kept.turn]), kept.turn)
    assert both.turn is kept.turn
    some = np.array([5, 12_000, 12_002])
    assert both.asked(question).cosines(some) == pytest.approx(np.vstack([first, later])[some] @ question, abs=1e-5)
