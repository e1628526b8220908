"""Which questions are one matter: average linkage over the cosines of their vectors. Deterministic: the same questions
in the same order make the same groups, and a group once made is never split nor joined with another old one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tickets.search.embedder import Vectors

THRESHOLD = 0.55
"""The mean cosine from which two groups are one. Chosen on every other group of tests/data/gap_paraphrases.yaml: there
no two matters are mixed, and three of four pairs that belong together are found. A question left alone costs a line; a
wrong one in a group costs trust."""
_APART = -2.0


def grouped(new: Vectors, old: Sequence[Vectors] = (), threshold: float = THRESHOLD) -> list[int]:
    """For each new vector (rows of length 1) the number of its group: those of `old` (their members' vectors) keep
    theirs, new ones count on from there."""
    seeds = len(old)
    sums = np.array([*(members.sum(axis=0) for members in old), *new], dtype=np.float64)
    if not len(new):
        return []
    sizes = np.array([*(len(members) for members in old), *([1] * len(new))], dtype=np.float64)
    labels, alive = np.arange(len(sums)), np.ones(len(sums), dtype=bool)
    is_old = np.arange(len(sums)) < seeds
    means = (sums @ sums.T) / np.outer(sizes, sizes)
    np.fill_diagonal(means, _APART)
    means[np.ix_(is_old, is_old)] = _APART
    while True:
        first, second = sorted(divmod(int(means.argmax()), len(sums)))
        if means[first, second] < threshold:
            return _numbered(labels[seeds:], seeds)
        sums[first] += sums[second]
        sizes[first] += sizes[second]
        labels[labels == second], alive[second] = first, False
        means[second, :] = means[:, second] = _APART
        row = (sums @ sums[first]) / (sizes * sizes[first])
        row[~alive | (is_old & is_old[first])] = _APART
        row[first] = _APART
        means[first, :] = means[:, first] = row


def centralities(vectors: Vectors) -> NDArray[np.float64]:
    """Each row's mean cosine to all rows of its group."""
    found: NDArray[np.float64] = (vectors.astype(np.float64) @ vectors.mean(axis=0)).astype(np.float64)
    return found


def _numbered(labels: NDArray[np.int_], seeds: int) -> list[int]:
    """New groups in the order in which their first member came, from the number of old ones on."""
    names: dict[int, int] = {}
    for label in labels.tolist():
        if label >= seeds:
            names.setdefault(label, seeds + len(names))
    return [names.get(label, label) for label in labels.tolist()]
