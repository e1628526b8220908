"""Run turns until SIGTERM or Ctrl-C. Start as many of these as there are cores and hosts."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from support_agent.runtime.runner import CONCURRENCY, Runner


class Command(BaseCommand):
    help = "Runs the assistant's turns: claims them from PostgreSQL, many at once, in one asyncio process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=CONCURRENCY, help="Turns at the same time.")

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(self._run(options["concurrency"]))

    async def _run(self, concurrency: int) -> None:
        runner = Runner(concurrency)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, runner.stop)
        await runner.run()
