"""Starts the fake model as a process of its own, and ends it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

ROOT = Path(__file__).resolve().parents[2]
START_S = 15.0


@contextlib.contextmanager
def model_serving(**options: float) -> Iterator[str]:
    """Its address while it runs; options as on its command line: `small_ttft=0.3, rate=40`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.benchmarks.model", "--port", str(port)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(address := f"http://127.0.0.1:{port}")
        yield address
    finally:
        process.terminate()
        process.wait(5)


def wait_for(address: str) -> None:
    """Until the fake answers and has nothing open. Raises TimeoutError."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{address}/healthz").json() == {"status": "ok", "open": 0}:
                return
        time.sleep(0.05)
    raise TimeoutError(address)
