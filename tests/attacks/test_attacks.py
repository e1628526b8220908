"""Attacks of tests/data/attacks.yaml against the whole engine, with a model that obeys the attacker.

Every sixth of each family; `make faults` runs them all (tests/faults/test_all_attacks.py).
"""

from __future__ import annotations

import pytest

from tests.attacks.catalogue import Attack, families
from tests.attacks.checks import broken
from tests.attacks.siege import Siege

pytestmark = pytest.mark.asyncio(loop_scope="module")
SOME = [attack for family in families() for attack in family.attacks[::6]]


@pytest.mark.parametrize("attack", SOME, ids=lambda attack: attack.id)
async def test_attack(siege: Siege, attack: Attack) -> None:
    assert broken(await siege.run(attack)) == []
