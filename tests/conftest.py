"""Servers for the whole run, and the cast."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from support_agent import embedded
from tests.cast import Cast, make_cast
from tests.flushing import empty_by_delete
from tests.stack import ROOT, SHARED, Stack, running_stack
from tickets.workspace import DEFAULT, as_if

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

CHROMIUM = Path("/usr/bin/chromium")
servers, collecting = ExitStack(), ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Hold the embedded servers for this process; the workers of a parallel run share them."""
    empty_by_delete()
    servers.enter_context(
        embedded.servers(
            settings.DATA_DIR,
            postgres=not os.environ.get("TEST_DATABASE_URL"),
            valkey=not os.environ.get("TEST_REDIS_URL"),
            durable=False,
        )
    )


def pytest_collection() -> None:
    """While files are read nobody may ask the database: its pool would be that of the database tests never use."""
    collecting.enter_context(as_if(DEFAULT))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through it for garbage again and again takes a tenth of the run."""
    collecting.close()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_unconfigure() -> None:
    servers.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files of one group go to one worker of a parallel run: what they need is started there once."""
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid.partition("::")[0]) or nodeid

    config.option.loadscopereorder = False  # large groups first would undo pytest-django's order
    return Grouped(config, log)


@cache
def _group(path: str) -> str:
    """The group of a file: as its xdist_group mark says (pytest 9 hides that from xdist), or the running product."""
    text = (ROOT / path).read_text()
    if marked := re.search(r'xdist_group\("([^"]+)"\)', text):
        return marked[1]
    return "stack" if "tests/browser/" in path or re.search(r"\b(stack: Stack|browser: )", text) else ""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The running product first, so that one worker is busy with it meanwhile; else pytest-django's order stays.

    That order has tests that empty the database last: what migrations wrote is gone after them.
    """
    items.sort(key=lambda item: _group(item.nodeid.partition("::")[0]) != "stack")
    for item in items:
        names = getattr(item, "fixturenames", ())
        if {"browser", "stack"} & set(names) and not item.get_closest_marker("deep"):
            # Many processes on a busy machine: what fails twice is broken.
            item.add_marker(pytest.mark.flaky(reruns=1))
        if "browser" in names:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason="no /usr/bin/chromium"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "chromium" in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"!!! {len(skipped)} BROWSER TESTS SKIPPED: install Debian's chromium (apt-get install chromium) !!!",
            red=True,
            bold=True,
        )


@pytest.fixture
def cast(db: None) -> Cast:
    """Owner, other customer, business customer, stranger, and staff of every role."""
    return make_cast()


@pytest.fixture
def jobs_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs run where they are enqueued, once their transaction has committed."""

    def run(job: Callable[..., Any], *args: Any, **_: Any) -> None:
        job(*args)

    monkeypatch.setattr(
        "tickets.queue.django_rq.get_queue", lambda *_, **__: SimpleNamespace(enqueue=run, fetch_job=lambda _: None)
    )


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole product over demo data; see tests/stack.py."""
    with running_stack(SHARED) as running:
        yield running


@pytest.fixture
def browser(stack: Stack) -> Iterator[BrowserContext]:
    """A fresh profile of Chromium; relative addresses are the running product's."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium.new_context(base_url=stack.url, locale="en-US")
        chromium.close()
