"""What Linux tells of a process and all it started: memory and CPU, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SESSION, USER_TICKS, SYSTEM_TICKS = 3, 11, 12  # fields of /proc/<pid>/stat, counted after the name


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident kilobytes: `rss` counts what is shared whole, `pss` its share."""

    rss: int
    pss: int


def memory(leader: int) -> Memory:
    """Of every process of that session, which is one started with start_new_session and all it started."""
    rss = pss = 0
    for pid in _session(leader):
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
            sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
            rss, pss = rss + sizes["Rss"], pss + sizes["Pss"]
    return Memory(rss, pss)


def cpu_s(leader: int) -> float:
    """Seconds of CPU that the processes of that session have used, in user and kernel."""
    return sum(int(stat[USER_TICKS]) + int(stat[SYSTEM_TICKS]) for stat in _session(leader).values()) / TICKS


def _session(leader: int) -> dict[int, list[str]]:
    return {pid: stat for pid, stat in _stats() if int(stat[SESSION]) == leader}


def _stats() -> Iterator[tuple[int, list[str]]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            yield int(path.parent.name), path.read_text().rpartition(")")[2].split()
