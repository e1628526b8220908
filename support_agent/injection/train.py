"""Logistic regression on the training families, a threshold from the validation families, weights as signed bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from support_agent.agent.guard import normalise, variants
from support_agent.agent.likeness import BUCKETS, RECORD, WEIGHTS, Model, features, tokens_of, windows
from support_agent.injection.corpus import Kind, texts
from support_agent.llm.demo import lexicon

Floats = NDArray[np.float64]
STEPS, RATE, RIDGE = 400, 0.05, 3e-6
WEIGHT: dict[Kind, float] = {"attacks": 1.0, "innocent": 2.0, "ordinary": 1.0}
MARGIN = 1.0  # added to the highest score of an ordinary message in validation, in logits
INNOCENT_ALARMS = 0.01  # of the innocent messages with trigger words in validation


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows of buckets, one after the other: row n ends where row n + 1 begins."""

    buckets: NDArray[np.int64]
    starts: NDArray[np.int64]
    share: Floats  # of each entry: one over the root of its row's length
    targets: Floats
    weights: Floats


def train() -> dict[str, Any]:
    """Train, choose the threshold, write weights and record; the record."""
    weights, bias = _fit(_samples())
    scale = float(np.abs(weights).max()) / 127
    rounded = np.round(weights / scale).astype(np.int8)
    content = rounded.tobytes()
    bias -= _threshold(Model(memoryview(content).cast("b"), scale, bias))
    record = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "scale": scale,
        "bias": round(bias, 6),
        "texts": digest(),
    }
    WEIGHTS.write_bytes(content)
    RECORD.write_text(json.dumps(record, indent=2) + "\n")
    return record


def digest() -> str:
    """Changes with the families that are trained on."""
    found = [text for kind in WEIGHT for text in texts(kind, "train") + texts(kind, "val")]
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def _samples() -> Samples:
    attacks, innocent, ordinary = (texts(kind, "train") for kind in ("attacks", "innocent", "ordinary"))
    ordinary += [phrase for phrases in lexicon.data("intents").values() for phrase in phrases]
    rows: list[set[int]] = []
    targets: list[float] = []
    weights: list[float] = []
    for found, target, weight in (
        (_whole(attacks), 1.0, WEIGHT["attacks"]),
        (_rows(innocent), 0.0, WEIGHT["innocent"]),
        (_rows(ordinary), 0.0, WEIGHT["ordinary"]),
    ):
        for row in found:
            rows.append(row)
            targets.append(target)
            weights.append(weight)
    lengths = np.array([len(row) for row in rows])
    return Samples(
        np.concatenate([np.array(sorted(row)) for row in rows]),
        np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        np.repeat(1 / np.sqrt(lengths), lengths),
        np.array(targets),
        np.array(weights),
    )


def _rows(found: Iterable[str]) -> Iterator[set[int]]:
    """Messages that are no attack: every part, also as the guard sees through disguises they do not wear."""
    for text in found:
        for variant in variants(normalise(text)).values():
            for tokens in windows(variant):
                yield features(tokens)


def _whole(found: Iterable[str]) -> Iterator[set[int]]:
    """Attacks as a whole: none of their sentences need be one by itself."""
    for text in found:
        yield features(tokens_of(variants(normalise(text))[""]))


def _fit(samples: Samples) -> tuple[Floats, float]:
    """Adam on all samples at once: no chance in it, so that the same data give the same bytes."""
    weights, bias = np.zeros(BUCKETS + 1), 0.0
    moved, size = np.zeros_like(weights), np.zeros_like(weights)
    lengths = np.diff([*samples.starts, len(samples.buckets)])
    for step in range(1, STEPS + 1):
        bias = float(weights[BUCKETS])
        logits = np.add.reduceat(weights[samples.buckets] * samples.share, samples.starts) + bias
        wrong = (1 / (1 + np.exp(-logits)) - samples.targets) * samples.weights / samples.weights.sum()
        slope = RIDGE * weights
        slope += np.bincount(samples.buckets, np.repeat(wrong, lengths) * samples.share, BUCKETS + 1)
        slope[BUCKETS] = wrong.sum()
        moved = 0.9 * moved + 0.1 * slope
        size = 0.999 * size + 0.001 * slope**2
        weights = weights - RATE * (moved / (1 - 0.9**step)) / (np.sqrt(size / (1 - 0.999**step)) + 1e-8)
    return weights[:BUCKETS], float(weights[BUCKETS])


def _threshold(model: Model) -> float:
    """The logit above which a message is cautioned: over all ordinary and nearly all innocent ones of validation."""
    ordinary = max(_logits(model, texts("ordinary", "val"))) + MARGIN
    innocent = sorted(_logits(model, texts("innocent", "val")))
    return max(ordinary, innocent[int(len(innocent) * (1 - INNOCENT_ALARMS))], 0.0)


def _logits(model: Model, found: Iterable[str]) -> list[float]:
    return [max(model.logit(row) for row in _rows([text])) for text in found]
