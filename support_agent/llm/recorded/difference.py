"""Where a request differs from the recorded one, in a few short lines."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from typing import Any

Json = dict[str, Any]
MOST = 6
SHOWN = 60  # characters of a text, around where it begins to differ
NOTHING = object()


class ReplayError(AssertionError):
    """Today's calls are not the recorded ones; the text says which, how, and what to do."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One conversation that went another way at its `call` (from 1)."""

    conversation: str
    call: int
    lines: tuple[str, ...]


def report(found: Iterable[Difference], recorded: str, renew: str) -> str:
    """All differences, those that are the same in many conversations once, and the command that records anew."""
    alike: dict[tuple[str, ...], list[Difference]] = defaultdict(list)
    for one in found:
        alike[one.lines].append(one)
    parts = [f"Today's calls are not those recorded on {recorded}."]
    for lines, ones in alike.items():
        others = f" and {len(ones) - 1} more" if len(ones) > 1 else ""
        parts += [f"{ones[0].conversation}, call {ones[0].call}{others}:", *(f"  {line}" for line in lines)]
    return "\n".join([*parts, f"If that is meant, record it anew and read the difference{renew and f': {renew}'}"])


def differences(recorded: Json, now: Json) -> list[str]:
    """`path: recorded → now`, at most MOST of them."""
    found = list(_differences("", recorded, now))
    more = [f"and {len(found) - MOST} more differences"] if len(found) > MOST else []
    return found[:MOST] + more


def shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How long the start is that both have."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _differences(path: str, recorded: Any, now: Any) -> Iterator[str]:
    if recorded == now:
        return
    if path == "system":
        yield f"system prompt changed ({_joined(recorded)} → {_joined(now)})"
    elif path == "tools" and isinstance(recorded, list) and isinstance(now, list):
        yield from _tools(_hashes(recorded), _hashes(now))
    elif isinstance(recorded, dict) and isinstance(now, dict):
        for name in [*recorded, *(name for name in now if name not in recorded)]:
            inner = f"{path}.{name}".lstrip(".")
            yield from _differences(inner, recorded.get(name, NOTHING), now.get(name, NOTHING))
    elif isinstance(recorded, list) and isinstance(now, list):
        for place, (one, other) in enumerate(zip_longest(recorded, now, fillvalue=NOTHING)):
            yield from _differences(f"{path}.{place}", one, other)
    else:
        yield f"{path}: {' → '.join(_around(recorded, now))}"


def _tools(recorded: Json, now: Json) -> Iterator[str]:
    for name in [*recorded, *(name for name in now if name not in recorded)]:
        if name not in now:
            yield f"tool {name} is not offered any more"
        elif name not in recorded:
            yield f"tool {name} is offered now"
        elif recorded[name] != now[name]:
            yield f"tool {name} changed ({recorded[name]} → {now[name]})"
    if sorted(recorded) == sorted(now) and list(recorded) != list(now):
        yield f"tools are in another order: {', '.join(recorded)} → {', '.join(now)}"


def _hashes(tools: list[str]) -> Json:
    return dict(tool.split(" ", 1) for tool in tools)


def _joined(names: Any) -> str:
    return " + ".join(map(str, names)) if isinstance(names, list) else "none"


def _around(recorded: Any, now: Any) -> tuple[str, str]:
    """Both as short texts, from a little before the first difference on."""
    one, other = _written(recorded), _written(now)
    start = shared(one, other)
    start = max(0, start - SHOWN // 3) if max(len(one), len(other)) > SHOWN else 0
    return _cut(one, start), _cut(other, start)


def _written(value: Any) -> str:
    return "nothing" if value is NOTHING else json.dumps(value, ensure_ascii=False)


def _cut(text: str, start: int) -> str:
    end = start + SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
