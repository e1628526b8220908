"""The product's processes, started one by one so that each can be killed alone: no supervisor looks after them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.stack import ROOT

MANAGE = [sys.executable, str(ROOT / "manage.py")]
COMMANDS = {
    "web": [sys.executable, "-m", "support_agent.launch.web"],
    "runner": [*MANAGE, "run_agents", "--skip-checks"],
    "worker": [*MANAGE, "rqworker-pool", "--verbosity", "0", "--skip-checks"],
    "scheduler": [*MANAGE, "rqcron", "--logging-level", "WARNING", "--skip-checks"],
}


@dataclass(slots=True)
class Process:
    """One of them; `port` is a web process's."""

    kind: str
    environment: Mapping[str, str]
    log: Path
    port: int = 0
    running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.running is not None
        return self.running.pid

    @property
    def has_ended(self) -> bool:
        return self.running is not None and self.running.poll() is not None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {**self.environment, "PORT": str(self.port or 8000)}
        with self.log.open("ab") as output:
            self.running = subprocess.Popen(
                COMMANDS[self.kind],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it with all its children, without a word."""
        assert self.running is not None
        with suppress(ProcessLookupError):
            os.killpg(self.running.pid, number)
        self.running.wait(60)
