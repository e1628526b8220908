"""The page about the attacks says what the attacks are."""

from __future__ import annotations

from tests.attacks.catalogue import WHERE, WHO, attacks
from tests.attacks.report import PAGE, written


def test_the_page_counts_what_there_is() -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page), "run: .venv/bin/python -m tests.attacks.report"


def test_attacks_come_from_everywhere() -> None:
    assert len(attacks()) >= 60
    assert {attack.where for attack in attacks()} == set(WHERE)
    assert {attack.who for attack in attacks()} == set(WHO)
