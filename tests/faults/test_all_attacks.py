"""Every attack of tests/data/attacks.yaml against the whole engine; `make test` runs a sixth of them."""

from __future__ import annotations

import pytest

from tests.attacks.catalogue import Attack, attacks
from tests.attacks.checks import broken
from tests.attacks.conftest import siege, transactional_db
from tests.attacks.siege import Siege

__all__ = ["siege", "transactional_db"]
pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.id)
async def test_attack(siege: Siege, attack: Attack) -> None:
    assert broken(await siege.run(attack)) == []
