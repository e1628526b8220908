"""A second company, so that what still names the first is seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tickets.workspace import DEFAULT, Workspace, as_if

FJELL = Workspace(
    name="Fjell Cycles",
    legal_line="Fjell Cycles AS, Bergen, Norway",
    return_address="Fjell Cycles Retur\nBryggen 1\n5003 Bergen",
    return_carrier="Posten",
    email="hei@fjell.example",
    privacy_email="personvern@fjell.example",
    website="https://www.fjell.example",
    terms_url="https://fjell.example/terms",
    accent="#0057b8",
    tone="formal",
    house_style="Say bicycle, never bike.",
    currency="NOK",
    time_zone="Europe/Oslo",
    week=(((540, 720), (780, 1020)), *((((540, 1020),),) * 3), ((540, 900),), (), ()),
    holidays={"12-25": "Christmas Day", "2026-12-24": "Christmas Eve"},
)


@pytest.fixture
def fjell() -> Iterator[Workspace]:
    with as_if(FJELL):
        yield FJELL


@pytest.fixture
def demo() -> Iterator[Workspace]:
    with as_if(DEFAULT):
        yield DEFAULT
