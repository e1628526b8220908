"""Servers for the whole run, and the cast."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from support_agent import embedded
from tests.cast import Cast, make_cast

CHROMIUM = Path("/usr/bin/chromium")
servers = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Hold the embedded servers for this process; the workers of a parallel run share them."""
    servers.enter_context(
        embedded.servers(
            settings.DATA_DIR,
            postgres=not os.environ.get("TEST_DATABASE_URL"),
            valkey=not os.environ.get("TEST_REDIS_URL"),
            durable=False,
        )
    )


def pytest_unconfigure() -> None:
    servers.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM.exists():
        return
    for item in items:
        if item.get_closest_marker("browser"):
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
