"""Prompt caching as the API counts it: prefixes written at breakpoints, read again by whoever sends the same ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.normal import Json, digest, plain, segments, tokens

MIN_TOKENS = 512
LIFE_S = 300.0  # from the last time it was written or read
LOOK_BACK = 20  # blocks before a breakpoint that are searched for something already written


@dataclass(slots=True)
class PromptCache:
    """The written prefixes, by model and hash, each with the second when it was last used. `usage` counts one request
    and writes what its breakpoints mark."""

    clock: Callable[[], float] = time.monotonic
    written: dict[str, float] = field(default_factory=dict)

    def usage(self, body: Json) -> Json:
        """The request's usage fields, output aside."""
        hashes, sums, marks = _boundaries(body)
        now = self.clock()
        found = [i for mark in marks for i in _near(mark) if now - self.written.get(hashes[i], -LIFE_S) < LIFE_S]
        read = max((sums[i] for i in found), default=0)
        cacheable = [mark for mark in marks if sums[mark] >= MIN_TOKENS]
        self.written.update((hashes[i], now) for i in (*found, *cacheable))
        upto = max([read, *(sums[mark] for mark in cacheable)])
        return {
            "input_tokens": (sums[-1] if sums else 0) - upto,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": upto - read,
        }


def _near(mark: int) -> range:
    return range(max(0, mark - LOOK_BACK), mark + 1)


def _boundaries(body: Json) -> tuple[list[str], list[int], list[int]]:
    """For each block: the hash of the prefix that ends with it, its tokens; and which blocks are breakpoints."""
    hashes: list[str] = []
    sums: list[int] = []
    marks: list[int] = []
    state, total = digest(body["model"]), 0
    for index, (block, place) in enumerate(segments(body)):
        state, total = digest(state, place, plain(block)), total + tokens(block)
        hashes.append(state)
        sums.append(total)
        if "cache_control" in block:
            marks.append(index)
    return hashes, sums, marks
