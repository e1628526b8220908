"""What Linux tells of a process and all it started: memory and CPU, from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT = 1  # fields of /proc/<pid>/stat, counted after the name
CPU = slice(11, 15)  # its own in user and kernel, and that of its children that ended


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident kilobytes: `rss` counts what is shared whole, `pss` its share."""

    rss: int
    pss: int


def memory(first: int) -> Memory:
    """Of a process and all it started."""
    rss = pss = 0
    for pid in _family(first):
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
            sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
            rss, pss = rss + sizes["Rss"], pss + sizes["Pss"]
    return Memory(rss, pss)


def cpu_s(first: int) -> float:
    """Seconds of CPU that a process and all it started have used, in user and kernel."""
    return sum(sum(map(int, stat[CPU])) for stat in _family(first).values()) / TICKS


def _family(first: int) -> dict[int, list[str]]:
    """The stat fields of a process and its descendants by pid."""
    everybody: dict[int, list[str]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            everybody[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
    found: dict[int, list[str]] = {}
    fresh = {first} & everybody.keys()
    while fresh:
        found |= {pid: everybody[pid] for pid in fresh}
        fresh = {pid for pid, stat in everybody.items() if int(stat[PARENT]) in fresh}
    return found
