"""Which questions are one matter: held against labelled paraphrases, with the bundled model."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import yaml

from support_agent.runtime.gap_groups import centralities, grouped
from tickets.search.embedder import Vectors
from tickets.search.minilm import MiniLM

GROUPS: list[list[str]] = yaml.safe_load(
    (Path(__file__).parents[1] / "data" / "gap_paraphrases.yaml").read_text(encoding="utf-8")
)
MODEL = MiniLM()


def flat(groups: list[list[str]]) -> tuple[Vectors, list[int]]:
    return MODEL.embed([text for group in groups for text in group]), [
        at for at, group in enumerate(groups) for _ in group
    ]


def pairs(labels: list[int]) -> set[tuple[int, int]]:
    return {(a, b) for a, b in combinations(range(len(labels)), 2) if labels[a] == labels[b]}


@pytest.mark.parametrize("half", [0, 1])
def test_paraphrases_come_together_and_other_matters_stay_apart(half: int) -> None:
    vectors, right = flat(GROUPS[half::2])
    found = pairs(grouped(vectors))
    assert len(found & pairs(right)) / len(found) >= 0.97, "the share of joined pairs that belong together"
    assert len(found & pairs(right)) / len(pairs(right)) >= 0.7, "the share of such pairs that are joined"


def test_the_same_questions_make_the_same_groups() -> None:
    vectors, _ = flat(GROUPS)
    assert grouped(vectors) == grouped(vectors.copy())


def test_old_groups_keep_their_numbers_and_are_never_joined() -> None:
    vectors, _ = flat(GROUPS)
    first, second, new = vectors[0:2], vectors[2:3], vectors[3:8]
    labels = grouped(new, [first, second])
    assert labels[0] in (0, 1), "the fourth wording of what the old groups ask"
    assert set(labels[1:]) == {2}, "another matter, in a new group"
    twins = grouped(vectors[3:4], [vectors[0:1], vectors[0:1]])
    assert twins == [0], "of two old ones that are the same, the older"


def test_nothing_is_no_group() -> None:
    assert grouped(np.empty((0, 384), dtype=np.float32)) == []


def test_the_most_central_one_is_nearest_to_all() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8]], dtype=np.float32)
    assert int(centralities(vectors).argmax()) == 1
