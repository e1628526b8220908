"""CPU and memory of processes, from the operating system: what it charged them, not what they say of themselves."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(groups: Mapping[str, int]) -> dict[str, float]:
    """CPU so far of each process with all that it started, {name: seconds}; `groups` is {name: process id}.

    A child that has ended is counted in its parent's books, so that nothing is lost when a server's backends come and
    go.
    """
    children = _children()
    return {name: sum(map(_charged, _family(pid, children))) for name, pid in groups.items()}


def memory_mb(pid: int) -> float:
    """Proportional set size in MB: pages that processes share are counted once among them."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _family(pid: int, children: Mapping[int, list[int]]) -> list[int]:
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _children() -> dict[int, list[int]]:
    found = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found[int(_fields(int(folder.name))[1])].append(int(folder.name))
    return found


def _charged(pid: int) -> float:
    """User and system time of a process, its threads and its children that have ended."""
    with suppress(OSError):
        return sum(map(int, _fields(pid)[11:15])) * TICK_S
    return 0.0


def _fields(pid: int) -> list[str]:
    """Of /proc/<pid>/stat, from the state on: a program's name may hold blanks and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
