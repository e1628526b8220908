"""The house the scenarios break, started once; its figures are written down when every scenario has run."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tests.faults.house import House
from tests.faults.scenarios import SCENARIOS

TABLE = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def house(pytestconfig: pytest.Config) -> Iterator[House]:
    seed = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(10**6))
    with House(seed) as house:
        yield house
        pytestconfig.stash[TABLE] = house.figures.table(seed)
        if {row.name for row in house.figures.rows} == {scenario.name for scenario in SCENARIOS}:
            house.figures.write(seed)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if table := config.stash.get(TABLE, ""):
        terminalreporter.write_line(table)
