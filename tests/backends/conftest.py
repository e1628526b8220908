"""The example shop, once for a file of tests; its books are new for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.bikeshop import TOKEN, Bikeshop, bikeshop_world, running_bikeshop
from tests.backends.world import RemoteWorld
from tests.faults.proxy import Proxy
from tickets.backends.http import HttpBackend


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bikeshop]:
    with running_bikeshop(tmp_path_factory.mktemp("bikeshop") / "books.sqlite3") as running:
        yield running


@pytest.fixture(scope="module")
def wire(process: Bikeshop) -> Iterator[Proxy]:
    """The line to it, which can be cut."""
    with Proxy(process.address) as line:
        yield line


@pytest.fixture
def shop(process: Bikeshop, wire: Proxy) -> Bikeshop:
    wire.heal()
    process.anew()
    return process


@pytest.fixture
def world(shop: Bikeshop, wire: Proxy) -> RemoteWorld:
    return bikeshop_world(shop, wire, HttpBackend(f"http://127.0.0.1:{wire.port}", TOKEN))
