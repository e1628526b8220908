"""Runs a peer in its environment and reads its figures. The sections of the benchmark call `equal_file` and `run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.benchmarks.peers.environment import PeerMissing, python_of

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Peer:
    """A program here, the environment it needs ('' for the project's own), and the way to HTTP it takes."""

    module: str
    environment: str = ""
    client: str = "default"


PEERS = MappingProxyType(
    {
        "bare SDK": Peer("bare"),
        "bare SDK on aiohttp": Peer("bare", client="aiohttp"),
        "pydantic-ai": Peer("pydantic_ai_loop", "pydantic-ai"),
        "pydantic-ai on aiohttp": Peer("pydantic_ai_loop", "pydantic-ai", client="aiohttp"),
        "langgraph": Peer("langgraph_loop", "langgraph"),
    }
)


@dataclass(frozen=True, slots=True)
class PeerResult:
    """What one run measured: CPU of the peer's own process, and how long a customer would have waited, in seconds."""

    name: str
    turns: int
    cpu_s: float
    wall_s: float
    first_p50_s: float
    first_p95_s: float
    turn_p50_s: float
    turn_p95_s: float

    @property
    def cpu_ms_per_turn(self) -> float:
        return 1000 * self.cpu_s / self.turns


def equal_file(folder: Path) -> Path:
    """The file that makes all calls equal, written into a folder by a process with Django of its own."""
    path = folder / "equal.json"
    command = [sys.executable, "-m", "tests.benchmarks.peers.equal", str(path)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=60)
    return path


def run(
    name: str, url: str, *, equal: Path, concurrency: int = 50, turns: int = 300, warm: int = 75, timeout_s: float = 300
) -> PeerResult:
    """One of PEERS for so many turns after the warm ones. Raises PeerMissing, and RuntimeError when it fails."""
    peer = PEERS[name]
    python = str(python_of(peer.environment)) if peer.environment else sys.executable
    command = [python, "-m", f"tests.benchmarks.peers.{peer.module}"]
    told = {"url": url, "client": peer.client, "concurrency": concurrency, "turns": turns, "warm": warm, "equal": equal}
    for option, value in told.items():
        command += [f"--{option}", str(value)]
    # Nothing of the machine's own settings: a proxy, a key, a tracing service.
    clean = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR")}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=timeout_s)
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr.strip()[-2000:]}")
    return PeerResult(name, **json.loads(done.stdout.splitlines()[-1]))


__all__ = ["PEERS", "Peer", "PeerMissing", "PeerResult", "equal_file", "run"]
