"""A company's own backend is held to the same contract; what is different in it works too."""

from __future__ import annotations

import pytest

from examples.bikeshop.backend import BikeshopBackend
from tests.backends.bikeshop import TOKEN, Bikeshop, bikeshop_world
from tests.backends.remote_contract import RemoteContract
from tests.backends.world import RemoteWorld
from tests.faults.proxy import Proxy
from tickets.backends.http import HttpBackend
from tickets.backends.port import By, Refused, Unreachable
from tickets.backends.records import Who
from tickets.errors import NotFound
from tickets.ids import new_id

EMIL = Who(id=new_id(), ref="c_1005", email="emil.berg@example.com")
BRUNO = Who(id=new_id(), ref="c_1002", email="bruno.keller@example.com")
MOUNTAIN = "FC-2026-01239"


@pytest.fixture
def world(process: Bikeshop, line: Proxy, shop: BikeshopBackend) -> RemoteWorld:
    return bikeshop_world(process, line, shop)


class TestBikeshopBackend(RemoteContract):
    """As docs/backends.md says."""


def test_its_own_word_for_a_state_is_understood(shop: BikeshopBackend, line: Proxy) -> None:
    order = shop.order(EMIL, MOUNTAIN)
    assert order is not None
    assert order.status == "packed"
    assert [order.status for order in shop.orders(EMIL, limit=5)[0]] == ["packed"]
    with pytest.raises(Unreachable):  # a word that nobody explained is no state
        HttpBackend(f"http://127.0.0.1:{line.port}", TOKEN).order(EMIL, MOUNTAIN)


def test_a_fitting_is_booked_once_and_taken_back(shop: BikeshopBackend) -> None:
    time = shop.fitting_times("oslo")[0].time
    booked = shop.book_fitting(EMIL, time=time, by=By("k1"))
    assert booked == shop.book_fitting(EMIL, time=time, by=By("k1"))
    assert time not in [fitting.time for fitting in shop.fitting_times("oslo")]
    with pytest.raises(Refused) as caught:
        shop.book_fitting(BRUNO, time=time, by=By("k2"))
    assert caught.value.reason == "taken"
    with pytest.raises(NotFound):
        shop.cancel_fitting(BRUNO, time=time, by=By("k3"))
    shop.cancel_fitting(EMIL, time=time, by=By("k4"))
    assert shop.fitting_times("oslo")[0].time == time


def test_only_times_that_are_offered_can_be_booked(shop: BikeshopBackend) -> None:
    for time in ("oslo-2020-01-06-10", "oslo-2026-11-24-03"):
        with pytest.raises(Refused):
            shop.book_fitting(EMIL, time=time, by=By(f"key-{time}"))
    assert shop.fitting_times("rome") == ()
