"""The example shop as the product's backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examples.bikeshop.backend import BikeshopBackend
from tests.backends.bikeshop import TOKEN, Bikeshop, running_bikeshop
from tests.faults.proxy import Proxy
from tickets import backends


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bikeshop]:
    with running_bikeshop(tmp_path_factory.mktemp("bikeshop") / "books.sqlite3") as running:
        yield running


@pytest.fixture
def line(process: Bikeshop) -> Iterator[Proxy]:
    """The way to the shop, which can be cut; its books are new."""
    process.anew()
    with Proxy(process.address) as proxy:
        yield proxy


@pytest.fixture
def shop(line: Proxy, settings: object) -> Iterator[BikeshopBackend]:
    """Configured as a company would: BACKEND, BACKEND_URL and BACKEND_TOKEN."""
    settings.BACKEND = "examples.bikeshop.backend.BikeshopBackend"  # type: ignore[attr-defined]
    settings.BACKEND_URL, settings.BACKEND_TOKEN = f"http://127.0.0.1:{line.port}", TOKEN  # type: ignore[attr-defined]
    backends.backend.cache_clear()
    found = backends.backend()
    assert isinstance(found, BikeshopBackend)
    yield found
    backends.backend.cache_clear()
