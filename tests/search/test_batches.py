"""Texts go through the model in small groups of like length: an import's memory does not grow with its texts."""

from __future__ import annotations

from tickets.search.minilm import BATCH_TOKENS, batches


def test_no_group_is_larger_than_it_may_be_and_none_is_forgotten() -> None:
    lengths = [256, 3, 256, 12, 40, 256, 5, 3] * 40
    made = list(batches(lengths))
    assert sorted(row for rows in made for row in rows) == list(range(len(lengths)))
    assert all(len(rows) * max(lengths[row] for row in rows) <= BATCH_TOKENS for rows in made)
    assert len(made) < 100  # short ones still go together


def test_a_text_beyond_every_group_goes_alone() -> None:
    assert list(batches([BATCH_TOKENS + 1, 2])) == [[1], [0]]
    assert list(batches([])) == []
