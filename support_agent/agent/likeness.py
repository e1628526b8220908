"""How much a text reads like an attempt to bend the assistant: a linear model on hashed words and pieces of words.

It is trained by `python -m support_agent.injection` and kept beside this file: one signed byte per bucket, and a record
of its scale, its bias and its hash. docs/guard.md says what it is worth.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

WEIGHTS = Path(__file__).with_suffix(".bin")
RECORD = Path(__file__).with_suffix(".json")
BUCKETS = 1 << 17
LONGEST = 20  # tokens: a sentence without an end is cut
_SENTENCE = re.compile(r"(?<=[.!?;。！？])\s+|\n+")
_TOKEN = re.compile(r"\d+|[^\W\d_]+|[^\w\s]|_+")


@dataclass(frozen=True, slots=True)
class Model:
    """`weights` times `scale` are the real ones; the bias is such that 0.5 is the threshold that was chosen."""

    weights: Sequence[int]
    scale: float
    bias: float

    def likeness(self, text: str) -> float:
        """From 0 to 1, for a folded text: that of its worst sentence or two, which nothing around them thins out."""
        worst = max((self.logit(features(tokens)) for tokens in windows(text)), default=-30.0)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, worst))))

    def logit(self, buckets: set[int]) -> float:
        weights = self.weights
        return self.bias + self.scale * sum(weights[at] for at in buckets) / math.sqrt(len(buckets) or 1)


@cache
def load() -> Model:
    """The trained model, read once per process. Raises RuntimeError when the file is not the one of the record."""
    record, weights = json.loads(RECORD.read_text()), WEIGHTS.read_bytes()
    if hashlib.sha256(weights).hexdigest() != record["sha256"]:
        raise RuntimeError(f"{WEIGHTS.name} is not the file that {RECORD.name} describes: train it again")
    return Model(memoryview(weights).cast("b"), record["scale"], record["bias"])


def windows(text: str) -> Iterator[list[str]]:
    """Tokens of each sentence, and of each two that follow one another."""
    before: list[str] = []
    for sentence in _SENTENCE.split(text):
        tokens = tokens_of(sentence)
        for start in range(0, len(tokens), LONGEST):
            found = tokens[start : start + LONGEST]
            yield found
            if before:
                yield before + found
            before = found


def tokens_of(text: str) -> list[str]:
    """Words and marks; any number counts as the same."""
    return ["0" if token[0].isdecimal() else token for token in _TOKEN.findall(text)]


def features(tokens: Sequence[str]) -> set[int]:
    """Buckets of words, pairs, pairs round one word, and pieces of words."""
    found = set(tokens)
    found.update(map("{} {}".format, ["^", *tokens], [*tokens, "$"]))
    found.update(map("{} _ {}".format, tokens, tokens[2:]))
    for word in set(tokens):
        if len(word) > 3:
            padded = f"<{word}>"
            found.update("~" + padded[at : at + 4] for at in range(len(padded) - 3))
    return {crc32(feature.encode()) % BUCKETS for feature in found}
