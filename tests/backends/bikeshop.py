"""The example shop as a real process, and the small world in its books."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from examples.bikeshop import seed
from tests.backends.world import RemoteWorld, Sold
from tests.faults.proxy import Proxy
from tests.stack import ROOT
from tickets.backends.port import Backend, By
from tickets.backends.records import Who

TOKEN = "a-token-of-this-test"


@dataclass
class Bikeshop:
    """A running server and its file, which the tests open beside it."""

    url: str
    data: Path
    process: subprocess.Popen[str]

    def query(self, sql: str, *arguments: object) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(self.data, timeout=10)) as db, db:
            db.row_factory = sqlite3.Row
            return db.execute(sql, arguments).fetchall()

    def anew(self) -> None:
        """The cast as on the first day."""
        with closing(sqlite3.connect(self.data, timeout=10)) as db, db:
            db.row_factory = sqlite3.Row
            seed.clear(db)
            seed.fill(db)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)


@contextmanager
def running_bikeshop(data: Path, *, port: int = 0) -> Iterator[Bikeshop]:
    """`python -m examples.bikeshop.server`, ended with the block."""
    command = [sys.executable, "-m", "examples.bikeshop.server", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen([*command, "--token", TOKEN], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()  # it is bound by now
        yield Bikeshop(line.split(" at ")[1].split(",")[0], data, process)
    finally:
        process.kill()
        process.wait()


def bikeshop_world(shop: Bikeshop, line: Proxy, backend: Backend) -> RemoteWorld:
    """The contract's world, made of the shop's own cast."""

    @contextmanager
    def losing() -> Iterator[None]:
        line.cut_after = 0
        yield
        assert line.cut_after is None, "nothing was asked"

    return RemoteWorld(
        backend=backend,
        owner=_who("c_1001", "astrid.lind@example.com"),
        other=_who("c_1002", "bruno.keller@example.com"),
        closed_email="dagny.holm@example.com",
        delivered=_sold("FC-2026-01234"),
        paid=_sold("FC-2026-01241"),
        shipped=_sold("FC-2026-01238"),
        foreign=_sold("FC-2026-01210"),
        by=lambda tool: By(key=f"action:{uuid4()}", action_id=str(uuid4())),
        money_leaves=lambda number: _do(shop, "UPDATE refunds SET status = 'paid' WHERE order_number = ?", number),
        parcel_arrives=lambda number: _do(shop, "UPDATE returns SET status = 'received' WHERE number = ?", number),
        write_note=lambda number, text: _do(shop, "UPDATE orders SET note = ? WHERE order_number = ?", text, number),
        losing=losing,
    )


def _do(shop: Bikeshop, sql: str, *arguments: object) -> None:
    shop.query(sql, *arguments)


def _who(ref: str, email: str) -> Who:
    return Who(id=uuid4(), ref=ref, email=email)


def _sold(number: str) -> Sold:
    lines = next(order[3] for order in seed.ORDERS if order[0] == number)
    prices = {sku: Decimal(article[3]) / 100 for sku, article in seed.ARTICLES.items()}
    return Sold(number, tuple((sku, pieces, prices[sku]) for sku, pieces in lines), "EUR")
