"""`manage.py run_evals [SUITE] [--model M] [--repeat K]`: the evaluation cases, in a database of their own."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import CommandParser
from django.db import DatabaseError

from support_agent.evals import prompts
from support_agent.evals.cases import Case, suite
from support_agent.evals.cassettes import about_run, run_of, traffic
from support_agent.evals.costs import estimate
from support_agent.evals.house import speaking_house
from support_agent.evals.progress import Bar, Lines, Told
from support_agent.evals.recording import Main, Recorder
from support_agent.evals.report import as_json, lines, sums
from support_agent.evals.report_html import as_html
from support_agent.evals.report_junit import as_junit
from support_agent.evals.run import MODEL, RULES
from support_agent.evals.saved import load_saved
from support_agent.evals.session import Wish, run
from support_agent.evals.summary import Report
from support_agent.evals.world import NoDatabase
from support_agent.llm.recorded import ReplayError
from support_agent.management.base import OpsCommand
from support_agent.models import EvalRun
from support_agent.runtime.eval_runs import (
    DEMO,
    MODELS,
    SAVED,
    model_wanted,
    run_claim,
    run_create,
    run_failed,
    thresholds_of,
)
from tickets.backends import use_own_tables
from tickets.errors import DeskError
from tickets.workspace import DEFAULT

PLAYER = "the model that plays the customers"
MISSED, WRONG, OVER_BUDGET, BROKEN, STOPPED = 1, 2, 3, 4, 130


class Command(OpsCommand):
    help = (
        "Runs the evaluation cases in a throw-away database and says which fail, and why. Exit codes: 0 the thresholds "
        "are met, 1 they are not, 2 wrong use, 3 the budget ran out, 4 it could not be run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("suite", nargs="?", default="", help="a theme (a file), a case, or saved; default: all files")
        add("--model", default=DEMO, help="demo (free), live (the configured models), or a model of the API for all")
        add("--customer", default=RULES, choices=(RULES, MODEL), help="simulated ones: by their rules, or a model")
        add("--repeat", type=int, default=1, metavar="K", help="run each K times; all must pass (pass^K)")
        add("--budget", type=_usd, metavar="USD", help="what a real model may spend; no case starts that could pass it")
        add("--parallel", type=int, default=4, metavar="N", help="so many cases at once, from 1 to 32")
        add("--min-pass", type=_share, metavar="SHARE", help="the share of cases that must pass: demo 1.0, else 0.9")
        add("--min-adversarial", type=_share, metavar="SHARE", help="of the adversarial ones: demo 1.0, else 0.95")
        add("--prompt", default="", metavar="NAME:NUMBER", help="try this version in place of the active one, or :file")
        add("--html", type=Path, metavar="FILE", help="write a report for people")
        add("--junit", type=Path, metavar="FILE", help="write a report for continuous integration")
        add("--record", type=Path, metavar="FILE", help="keep a real model's calls, nobody in them")
        add("--replay", type=Path, metavar="FILE", help="run on recorded calls: free, strict, not kept in the database")
        add("--no-record", action="store_true", help="leave no trace in the real database")
        add("--run", default="", metavar="ID", help="run what was asked for on the pages, as it was asked for")

    def handle(self, *args: Any, **options: Any) -> None:
        use_own_tables()
        logging.disable(logging.ERROR if options["verbosity"] < 2 else logging.NOTSET)  # cases break tools on purpose
        try:
            report = self._run(options, Main())
        except ReplayError as difference:
            self._leave(MISSED, str(difference))
        except DatabaseError as error:
            self._leave(BROKEN, f"the database fails: {str(error).strip().splitlines()[0]}")
        except NoDatabase as problem:
            self._leave(BROKEN, str(problem))
        except KeyboardInterrupt:
            self._leave(STOPPED, "stopped")
        finally:
            logging.disable(logging.NOTSET)
        self._tell(report, options)
        if report.over_budget:
            sys.exit(OVER_BUDGET)
        if not report.is_passed:
            sys.exit(MISSED)

    def _run(self, options: dict[str, Any], main: Main) -> Report:
        self._check(options)
        trouble = main.trouble()
        is_recorded = not (trouble or options["no_record"] or options["replay"])
        if trouble:
            self.stderr.write(f"run_evals: nothing is recorded, and the prompts of the files speak: {trouble}")
        try:
            if options["run"]:
                wish, run_id = self._asked_for(options, trouble)
            else:
                wish, run_id = self._wished(options, trouble, is_recorded)
        except (ValueError, DeskError) as error:
            self._leave(WRONG, str(error))
        about = about_run(model=wish.model, suite=wish.suite, repeat=wish.repeat, path=options["record"])
        only = {case.id for case in wish.cases}
        with traffic(options["record"], options["replay"], about=about, only=only):
            return run(wish, Recorder(run_id, main, self._warn), self._progress(len(wish.cases)))

    def _check(self, options: dict[str, Any]) -> None:
        if options["repeat"] < 1:
            self._leave(WRONG, "--repeat takes a number from 1 on")
        if not 1 <= options["parallel"] <= 32:
            self._leave(WRONG, "--parallel takes a number from 1 to 32")
        for name in ("html", "junit", "record"):
            if options[name] and not options[name].absolute().parent.is_dir():
                self._leave(WRONG, f"--{name}: there is no folder {options[name].parent}")
            if options[name] and options[name].is_dir():
                self._leave(WRONG, f"--{name}: {options[name]} is a folder")

    def _wished(self, options: dict[str, Any], trouble: str, is_recorded: bool) -> tuple[Wish, UUID | None]:
        """What the arguments say, and its new row where it is recorded. Raises ValueError, DeskError."""
        cases = _cases(options["suite"], trouble)
        if options["replay"]:
            cases, model = _as_recorded(cases, options)
        else:
            model = model_wanted(options["model"])
        if options["record"] and model == DEMO:
            raise ValueError("--record needs a real --model: the demo model needs no recording")
        if options["prompt"] and trouble:
            raise ValueError("--prompt needs the database that holds the versions")
        spoken = {} if trouble else prompts.active()
        tried = None
        if options["prompt"]:
            name, tried = prompts.wanted(options["prompt"])
            spoken[name] = tried
        budget, customer = options["budget"], options["customer"]
        if customer == MODEL:
            model_wanted(MODELS)  # which needs a key
        if (model != DEMO or customer == MODEL) and budget is None and not options["replay"]:
            budget = self._budget(cases, model, options["repeat"], trouble, is_played=customer == MODEL)
        limits = {"pass": options["min_pass"], "adversarial": options["min_adversarial"]}
        thresholds = thresholds_of(model) | {name: share for name, share in limits.items() if share is not None}
        asked = (cases, options["suite"], model, options["repeat"], options["parallel"], budget, thresholds, spoken)
        # What was recorded, and is to be, speaks for the demo's company: a file serves whoever has it.
        is_ours = not (trouble or options["replay"] or options["record"])
        wish = Wish(*asked, customer, speaking_house() if is_ours else DEFAULT)
        if not is_recorded:
            return wish, None
        made = run_create(
            kind=EvalRun.Kind.COMMAND,
            suite=wish.suite,
            model=model,
            repeat=wish.repeat,
            prompt=tried,
            budget_usd=budget,
            thresholds=thresholds,
        )
        run_claim(made.pk)
        return wish, made.pk

    def _asked_for(self, options: dict[str, Any], trouble: str) -> tuple[Wish, UUID | None]:
        """What the row of a waiting run says; it is ours from here on. Raises ValueError before that."""
        if trouble:
            raise ValueError("--run needs the database that holds the run")
        try:
            row = run_claim(UUID(options["run"]))
        except ValueError:
            raise ValueError(f"“{options['run']}” is no run's id") from None
        if row is None:
            raise ValueError(f"no run {options['run']} waits")
        try:
            spoken = prompts.active()
            if row.prompt:
                spoken[row.prompt.name] = row.prompt
            cases = _cases(row.suite, "")
        except ValueError as error:
            run_failed(row.pk, str(error))
            self._leave(BROKEN, str(error))
        thresholds = row.thresholds or thresholds_of(row.model)
        asked = (cases, row.suite, row.model, row.repeat, options["parallel"], row.budget_usd, thresholds, spoken)
        wish = Wish(*asked, house=speaking_house())
        return wish, row.pk

    def _budget(self, cases: Sequence[Case], model: str, repeat: int, trouble: str, *, is_played: bool) -> Decimal:
        """Ask for it on a terminal. Raises ValueError where nobody can be asked, or nothing is answered."""
        what, cost = model, "" if trouble or model == DEMO else f": this run costs {estimate(cases, model, repeat)}"
        if is_played:
            what = PLAYER if model == DEMO else f"{model}, beside {PLAYER},"
        if not (sys.stdin.isatty() and self.stderr.isatty()):
            raise ValueError(f"{what} costs money, so it needs --budget USD{cost}")
        self.stderr.write(f"{what} costs money{cost}.")
        self.stderr.write("Spend how many USD at most? ", ending="")
        self.stderr.flush()
        try:
            return _usd(input())
        except (ValueError, EOFError):
            raise ValueError("nothing was run: a budget is an amount in USD, such as 2.50") from None

    def _progress(self, total: int) -> Told:
        return Bar(sys.stderr, total) if self.stderr.isatty() else Lines(self.stderr, total)

    def _tell(self, report: Report, options: dict[str, Any]) -> None:
        if options["html"]:
            options["html"].write_text(as_html(report), encoding="utf-8")
        if options["junit"]:
            options["junit"].write_text(as_junit(report), encoding="utf-8")
        if options["json"]:
            self.print_json(as_json(report))
        else:
            self.stdout.write("\n".join([*lines(report.results), "", *sums(report)]))

    def _warn(self, message: str) -> None:
        self.stderr.write(f"run_evals: {message}")

    def _leave(self, code: int, message: str) -> NoReturn:
        self._warn(message)
        sys.exit(code)


def _as_recorded(cases: Sequence[Case], options: dict[str, Any]) -> tuple[Sequence[Case], str]:
    """(those of the cases that the file holds, its model); repeat becomes the recording's. Raises ValueError."""
    if options["record"] or options["model"] != DEMO or options["repeat"] != 1:
        raise ValueError("--replay goes by what was recorded: without --record, --model and --repeat")
    found = run_of(options["replay"])
    options["repeat"] = found.repeat
    return found.among(cases, wanted=options["suite"]), found.model


def _cases(name: str, trouble: str) -> Sequence[Case]:
    """Those of the files; `saved` and a saved case's name are read from the database. Raises ValueError."""
    try:
        return suite(name)
    except ValueError:
        if trouble:
            raise
        saved = load_saved("" if name == SAVED else name)
        if not saved and name == SAVED:
            raise ValueError("no case is saved yet") from None
        if not saved:
            raise
        return saved


def _usd(text: str) -> Decimal:
    try:
        usd = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(text) from None
    if not (usd.is_finite() and usd > 0):
        raise ValueError(text)
    return usd


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


_usd.__name__, _share.__name__ = "amount in USD", "share from 0 to 1"  # argparse names them in its one line
