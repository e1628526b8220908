"""The job of an evaluation run: the command in a process of its own, so that nothing of the throw-away database, which
stands in place of the real one meanwhile, gets into the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Any
from uuid import UUID

import structlog

from support_agent.env import BASE_DIR
from support_agent.models import EvalRun, RunState
from support_agent.runtime.eval_rows import LIVE, run_failed
from tickets.queue import lasts

log = structlog.get_logger(__name__)
MOST_S = 3 * 3600  # a real model, all cases, several times
PATIENCE_S = 20.0  # for a child that is asked to end: it drops its database
WRONG_USE = 2  # before it took the run; also when somebody else had it
PARENT = "EVALS_PARENT"
"""The environment variable that names the process a run ends with."""


@lasts(MOST_S + 60)
def run_evals_job(run_id: str) -> None:
    """Run a queued run; a second job for the same one does nothing."""
    if not EvalRun.objects.filter(pk=run_id, state=RunState.QUEUED).exists():
        return
    code, last = _run([sys.executable, str(BASE_DIR / "manage.py"), "run_evals", "--run", run_id], MOST_S)
    # One that came to its end is done, whatever the code says: 1 is also that of a crash.
    states = (RunState.QUEUED,) if code == WRONG_USE else LIVE
    if run_failed(UUID(run_id), last or f"It ended with code {code}.", states=states):
        log.warning("evals_failed", run_id=run_id, code=code, error=last)


def _run(command: list[str], most_s: float) -> tuple[int, str]:
    """(exit code, the last line it wrote to stderr); whatever ends this process or its patience ends the child too."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            cwd=BASE_DIR,
            env={**os.environ, PARENT: str(os.getpid())},
        )
        try:
            with _ending(child):
                code = child.wait(most_s)
        except subprocess.TimeoutExpired:
            _end(child)
            return -1, f"It took more than {most_s / 60:.0f} minutes."
        finally:
            _end(child)
        return code, _last_line(said)


@contextmanager
def _ending(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """SIGTERM to this process, which would leave the child alone in the world, ends it first."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what signals do
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        _end(child)
        raise SystemExit(128 + number)

    before: Any = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE_S)


def _last_line(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - 4000))
    lines = [line.strip() for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
