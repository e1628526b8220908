"""Writing a run into the real database while the throw-away one stands in its place: by a second alias of it."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import yaml
from django.db import DatabaseError, connection, connections
from django.db.utils import load_backend

from support_agent.evals.cases import Case
from support_agent.evals.run import Result
from support_agent.evals.summary import Report
from support_agent.models import EvalResult, EvalRun, PromptVersion, SavedCase
from support_agent.models.limits import Spend
from support_agent.runtime.eval_runs import DEMO, run_ended, run_failed, run_recorded, run_started
from tickets.db import in_db

MAIN = "main"
NEEDED = (EvalRun, EvalResult, PromptVersion, SavedCase, Spend)


class Main:
    """The configured database, whatever `default` becomes meanwhile: by the alias `main`, within `connected`."""

    def __init__(self) -> None:
        self._settings: dict[str, Any] = copy.deepcopy(connection.settings_dict)
        self._settings["OPTIONS"].pop("pool", None)  # used now and then, by whatever thread

    @contextmanager
    def connected(self) -> Iterator[str]:
        """The alias, for this thread."""
        own = load_backend(self._settings["ENGINE"]).DatabaseWrapper(copy.deepcopy(self._settings), MAIN)
        connections[MAIN] = own
        try:
            yield MAIN
        finally:
            own.close()
            del connections[MAIN]

    def trouble(self) -> str:
        """Why runs cannot be recorded there, in a line, or ''."""
        try:
            with self.connected() as alias, connections[alias].cursor() as cursor:
                for model in NEEDED:
                    columns = ", ".join(f'"{field.column}"' for field in model._meta.local_concrete_fields)
                    cursor.execute(f"SELECT {columns} FROM {model._meta.db_table} LIMIT 0")  # noqa: S608 - our names
        except DatabaseError as error:
            return str(error).strip().splitlines()[0]
        return ""


class Recorder:
    """Writes a run's rows; one that cannot any more says so once, and the run goes on. Without an id it is mute."""

    def __init__(self, run_id: UUID | None, main: Main, tell: Callable[[str], None]) -> None:
        self.run_id, self._main, self._tell = run_id, main, tell
        self._is_free = False

    def started(self, report: Report) -> None:
        self._is_free = report.model == DEMO
        self._do(
            lambda run: run_started(
                run, total=len(report.results), prompts=report.prompts or {}, code=report.code, using=MAIN
            )
        )

    async def case(self, result: Result) -> None:
        """One case; in the pool of threads, so that others go on."""
        paid = result.customer_usd + (0 if self._is_free else result.cost_usd)
        await in_db(self._do, lambda run: run_recorded(run, row_of(result), paid_usd=paid, using=MAIN))

    def ended(self, report: Report) -> None:
        self._do(
            lambda run: run_ended(
                run,
                summary=report.summary(),
                is_passed=report.is_passed,
                cost_usd=report.cost_usd + report.customers_usd,
                using=MAIN,
            )
        )

    def failed(self, why: str) -> None:
        self._do(lambda run: run_failed(run, why, using=MAIN))

    def _do(self, write: Callable[[UUID], object]) -> None:
        if self.run_id is None:
            return
        try:
            with self._main.connected():
                write(self.run_id)
        except DatabaseError as error:
            self.run_id = None
            self._tell(f"the rest is not recorded: {str(error).strip().splitlines()[0]}")


def row_of(result: Result) -> EvalResult:
    """A result as its row, not saved; what its customer cost, when a model played them, is part of its cost."""
    written = as_yaml(result.case)
    return EvalResult(
        case=result.case.id[:80],
        suite=result.case.suite[:80],
        adversarial=result.case.adversarial[:60],
        fingerprint=fingerprint(written),
        written=written,
        status=result.status,
        runs=result.runs,
        held=result.held,
        failures=[_storable(failure) for failure in result.failures],
        outcome=result.outcome,
        tools=list(result.tools),
        said=[{"who": line["who"], "text": _storable(line["text"])} for line in result.thread],
        cost_usd=result.cost_usd + result.customer_usd,
        steps=result.steps,
        seconds=round(result.seconds, 3),
    )


def as_yaml(case: Case) -> str:
    """The case as one could write it into a file."""
    entry = case.model_dump(mode="json", exclude_defaults=True, exclude={"suite"})
    entry["steps"] = [step["say"] if list(step) == ["say"] else step for step in entry.get("steps", [])]
    return yaml.safe_dump([entry], sort_keys=False, allow_unicode=True, width=120)


def fingerprint(written: str) -> str:
    """Of the text of a case: two runs of the same one are comparable."""
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def _storable(text: str) -> str:
    """PostgreSQL keeps no NUL."""
    return text.replace("\0", "\ufffd")
