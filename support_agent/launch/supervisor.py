"""Keeps a set of programs alive, prefixes what they print, and ends them all.

Each program leads a process group of its own, so that a terminal's Ctrl-C reaches only us and what a program leaves
behind is found. On Linux the kernel tells them when we die without a word.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds before a restart, doubled each time
STEADY = 30.0  # seconds alive after which the wait begins anew
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    command: Sequence[str]


class Supervisor:
    """`run` returns when `stop` was called (a second call kills), after every process has ended."""

    def __init__(self, programs: Sequence[Program], environment: Mapping[str, str], *, grace: float = 25.0) -> None:
        self.programs = programs
        self.environment = dict(environment)
        self.grace = grace
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._threads = ThreadPoolExecutor(2 * len(programs))  # one waits for each program, one reads it
        self._stopping = asyncio.Event()
        self._width = max(len(program.name) for program in programs)

    def stop(self) -> None:
        if self._stopping.is_set():
            self._signal_groups(signal.SIGKILL)
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def say(self, name: str, line: str) -> None:
        with suppress(OSError, ValueError):  # a terminal that is gone must not stop anything by itself
            sys.stdout.write(f"{name:<{self._width}} │ {line}\n")
            sys.stdout.flush()

    async def run(self, *companions: Callable[[], Awaitable[None]]) -> None:
        """Keep the programs running; companions run beside them and are cancelled at the end."""
        beside = [asyncio.ensure_future(companion()) for companion in companions]
        keepers = [asyncio.create_task(self._keep(program)) for program in self.programs]
        await self._stopping.wait()
        for task in beside:
            task.cancel()
        for process in self.processes.values():
            process.terminate()
        _, late = await asyncio.wait(keepers, timeout=self.grace)
        if late:
            self._signal_groups(signal.SIGKILL)
        await asyncio.gather(*keepers, *beside, return_exceptions=True)

    async def _keep(self, program: Program) -> None:
        wait = FIRST_WAIT
        while not self.stopping:
            began = time.monotonic()
            code = await self._once(program)
            if self._stopping.is_set():
                return
            if time.monotonic() - began > STEADY:
                wait = FIRST_WAIT
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            self.say(program.name, f"ended ({how}); starting it again in {wait:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def _once(self, program: Program) -> int:
        # Threads, not asyncio's subprocesses: those wait for the pipe to close, which what a program left behind holds.
        process = subprocess.Popen(  # noqa: ASYNC220
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        self.processes[program.name] = process
        if self.stopping:  # asked while it was being made
            process.terminate()
        loop = asyncio.get_running_loop()
        relay = loop.run_in_executor(self._threads, self._relay, program.name, process)
        code = await loop.run_in_executor(self._threads, process.wait)
        _signal_group(process.pid, signal.SIGKILL)  # what a program that crashed left behind
        await relay
        return code

    def _relay(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.say(name, line.decode(errors="replace").rstrip())

    def _signal_groups(self, number: signal.Signals) -> None:
        for process in self.processes.values():
            _signal_group(process.pid, number)


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _end_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
