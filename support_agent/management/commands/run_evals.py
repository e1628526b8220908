"""`manage.py run_evals [SUITE] [--model M] [--repeat K]`: the evaluation cases, in a database of their own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import CommandParser

from support_agent.env import env
from support_agent.evals.cases import SAVED, Case, suite
from support_agent.evals.cassettes import about_run, run_of, traffic
from support_agent.evals.report import as_json, lines
from support_agent.evals.run import DEMO, Result, model_named, run_cases
from support_agent.evals.saved import load_saved
from support_agent.evals.world import throwaway_database
from support_agent.llm.recorded import CassetteError, ReplayError
from support_agent.management.base import OpsCommand


class Command(OpsCommand):
    help = "Runs the evaluation cases in a throw-away database and says which fail, and why; exit code 1 when one does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "suite", nargs="?", default="", help="a theme (a file), a case, or saved; default: all files"
        )
        parser.add_argument("--repeat", type=int, default=1, metavar="K", help="run each K times; all must pass")
        parser.add_argument("--model", default=DEMO, help="demo (free), or a model of the API, for which you pay")
        parser.add_argument(
            "--record", type=Path, metavar="FILE", help="keep the calls of a real model, nobody in them"
        )
        parser.add_argument("--replay", type=Path, metavar="FILE", help="run on recorded calls: free, and strict")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cases = _cases(options["suite"])
        except ValueError as error:
            self._wrong(str(error))
        if options["replay"]:
            cases = self._as_recorded(cases, options)
        model = options["model"]
        if options["record"] and model == DEMO:
            self._wrong("--record needs a real --model: the demo model needs no recording")
        if (
            model != DEMO
            and not options["replay"]
            and not (env.anthropic_api_key.get_secret_value() or env.anthropic_base_url)
        ):
            self._wrong("--model needs ANTHROPIC_API_KEY")
        if options["repeat"] < 1:
            self._wrong("--repeat takes a number from 1 on")
        about = about_run(model=model, suite=options["suite"], repeat=options["repeat"], path=options["record"])
        try:
            with (
                traffic(options["record"], options["replay"], about=about, only={case.id for case in cases}),
                throwaway_database(),
            ):
                results = asyncio.run(self._run(cases, model, options["repeat"]))
        except ReplayError as difference:
            self.stderr.write(str(difference))
            sys.exit(1)
        if options["json"]:
            self.print_json(as_json(results, model))
        else:
            self.stdout.write("\n".join(lines(results)))
        if any(result.status == "failed" for result in results):
            sys.exit(1)

    def _as_recorded(self, cases: Sequence[Case], options: dict[str, Any]) -> Sequence[Case]:
        """Those of the cases that the file holds; model and repeat become the recording's."""
        if options["record"] or options["model"] != DEMO or options["repeat"] != 1:
            self._wrong("--replay goes by what was recorded: without --record, --model and --repeat")
        try:
            found = run_of(options["replay"])
            options |= {"model": found.model, "repeat": found.repeat}
            return found.among(cases, wanted=options["suite"])
        except CassetteError as error:
            self._wrong(str(error))

    async def _run(self, cases: Sequence[Case], name: str, repeat: int) -> list[Result]:
        async with model_named(name) as model:
            is_demo = name == DEMO
            return await run_cases(cases, model, is_demo=is_demo, repeat=repeat, on_result=self._tell)

    def _tell(self, result: Result) -> None:
        """Progress, on stderr so that stdout stays the report's."""
        if self.stderr.isatty():
            self.stderr.write({"passed": ".", "failed": "F", "skipped": "s"}[result.status], ending="")

    def _wrong(self, message: str) -> NoReturn:
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
