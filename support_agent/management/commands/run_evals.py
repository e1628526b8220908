"""`manage.py run_evals [SUITE] [--model M] [--repeat K]`: the evaluation cases, in a database of their own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser

from support_agent.env import env
from support_agent.evals.cases import SAVED, Case, suite
from support_agent.evals.report import as_json, lines
from support_agent.evals.run import DEMO, MODEL, RULES, Result, model_named, player_named, run_cases
from support_agent.evals.saved import load_saved
from support_agent.evals.world import throwaway_database
from support_agent.management.base import OpsCommand


class Command(OpsCommand):
    help = "Runs the evaluation cases in a throw-away database and says which fail, and why; exit code 1 when one does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "suite", nargs="?", default="", help="a theme (a file), a case, or saved; default: all files"
        )
        parser.add_argument("--repeat", type=int, default=1, metavar="K", help="run each K times; all must pass")
        parser.add_argument(
            "--customer",
            default=RULES,
            choices=(RULES, MODEL),
            help="who plays the simulated customers: their rules, or the small model, for which you pay",
        )
        parser.add_argument("--model", default=DEMO, help="demo (free), or a model of the API, for which you pay")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cases = _cases(options["suite"])
        except ValueError as error:
            self._wrong(str(error))
        model = options["model"]
        if model != DEMO and not (env.anthropic_api_key.get_secret_value() or env.anthropic_base_url):
            self._wrong("--model needs ANTHROPIC_API_KEY")
        if options["customer"] == MODEL and not (env.anthropic_api_key.get_secret_value() or env.anthropic_base_url):
            self._wrong("--customer model needs ANTHROPIC_API_KEY")
        if options["repeat"] < 1:
            self._wrong("--repeat takes a number from 1 on")
        with throwaway_database():
            results = asyncio.run(self._run(cases, model, options["repeat"], options["customer"]))
        if options["json"]:
            self.print_json(as_json(results, model))
        else:
            self.stdout.write("\n".join(lines(results)))
        if any(result.status == "failed" for result in results):
            sys.exit(1)

    async def _run(self, cases: Sequence[Case], name: str, repeat: int, customer: str) -> list[Result]:
        async with model_named(name) as model, player_named(customer) as player:
            is_demo = name == DEMO
            return await run_cases(cases, model, is_demo=is_demo, repeat=repeat, player=player, on_result=self._tell)

    def _tell(self, result: Result) -> None:
        """Progress, on stderr so that stdout stays the report's."""
        if self.stderr.isatty():
            self.stderr.write({"passed": ".", "failed": "F", "skipped": "s"}[result.status], ending="")

    def _wrong(self, message: str) -> None:
        self.stderr.write(f"run_evals: {message}")
        sys.exit(2)


def _cases(name: str) -> Sequence[Case]:
    """Those of the files; `saved` and a saved case's name are read from the database. Raises ValueError."""
    try:
        return suite(name)
    except ValueError:
        saved = [case for case in load_saved() if name in (SAVED, case.id)]
        if not saved and name == SAVED:
            raise ValueError("no case is saved yet") from None
        if not saved:
            raise
        return saved
