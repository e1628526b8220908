"""`make faults`: every scenario against real processes, and every promise asked after it."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.faults.figures import Row
from tests.faults.house import House
from tests.faults.judging import judge, recoveries, rest
from tests.faults.registry import Scenario, all_ready
from tests.faults.scenarios import SCENARIOS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
async def test_nothing_is_lost(house: House, scenario: Scenario) -> None:
    house.faults, house.clients, started = [], [], time.monotonic()
    found = []
    try:
        await all_ready(house)
        await scenario.run(house)
    except AssertionError as error:
        found.append(f"I2: {error}")
    finally:
        await rest(house)
        for client in house.clients:
            await client.close()
    found += await asyncio.to_thread(judge, house)
    row = Row(scenario.name, len(house.faults), found, recoveries(house), time.monotonic() - started)
    house.figures.rows.append(row)
    assert not found, f"seed {house.seed}, logs in {house.folder}:\n" + "\n".join(found)
