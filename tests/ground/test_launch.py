"""The start: every trouble is one sentence, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from support_agent.launch.checks import redis_trouble
from tests.stack import ROOT, Stack, free_port, ready, running_stack


def launch(**variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "support_agent.launch"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "support_agent.settings", **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)


def test_a_taken_port_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = launch(PORT=str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} is taken by another program: stop that, or choose another port")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://nobody:hidden@127.0.0.1:1/shop", "refused"),
        ("postgresql://nobody:hidden@no-such-host.invalid/shop", "no-such-host"),
    ],
)
def test_a_database_that_is_not_there_is_one_sentence(url: str, reason: str) -> None:
    done = launch(DATABASE_URL=url, PORT=str(free_port()), REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL cannot be used (")
    assert reason in done.stderr
    assert "hidden" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_redis_that_is_not_there_is_one_sentence() -> None:
    sentence = redis_trouble("redis://127.0.0.1:1/0")
    assert sentence.startswith("REDIS_URL cannot be used (127.0.0.1:1: ")
    assert "\n" not in sentence


@pytest.mark.timeout(120)
def test_a_killed_process_comes_back(stack: Stack) -> None:
    """Web, runner, worker and scheduler: whichever dies, /readyz says yes again without anybody's help."""
    for program in ("support_agent.launch.web", "run_agents", "rqworker-pool", "rqcron"):
        for pid in children(stack.process.pid):
            if program in command_line(pid):
                os.kill(pid, signal.SIGKILL)
                wait(partial(ended, pid))
        wait(lambda: ready(stack.url))


@pytest.mark.timeout(120)
def test_ctrl_c_leaves_no_process() -> None:
    with running_stack("ends", DEMO="false") as running:
        family = descendants(running.process.pid)
        assert len(family) >= 5
        running.process.send_signal(signal.SIGINT)
        running.process.wait(40)
        assert not [pid for pid in family if command_line(pid)]
    assert running.process.returncode == 0


def ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants(pid: int) -> list[int]:
    below = children(pid)
    return [*below, *(further for child in below for further in descendants(child))]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def wait(condition: Callable[[], bool], seconds: float = 45) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
