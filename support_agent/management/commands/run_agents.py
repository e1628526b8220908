"""Run turns until SIGTERM or Ctrl-C. Start as many of these as there are cores and hosts."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from support_agent import telemetry
from support_agent.runtime.runner import CONCURRENCY, GRACE_S, Runner


class Command(BaseCommand):
    help = "Runs the assistant's turns: claims them from PostgreSQL, many at once, in one asyncio process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=CONCURRENCY, help="Turns at the same time.")
        parser.add_argument("--grace", type=float, default=GRACE_S, help="Seconds a turn gets to end after SIGTERM.")

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(self._run(Runner(options["concurrency"], grace_s=options["grace"])))

    async def _run(self, runner: Runner) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, runner.stop)
        await runner.run()
        telemetry.shutdown()
