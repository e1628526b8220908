"""The example's files for the import commands: whole, and the same people and orders as in its books."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import yaml

from examples.bikeshop import seed
from tests.stack import ROOT
from tickets.models import Article

DATA = ROOT / "examples" / "bikeshop" / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_customers_are_those_of_the_shop() -> None:
    assert [(row["external_id"], row["email"]) for row in rows("customers.csv")] == [
        (ref, email) for ref, email, *_ in seed.CUSTOMERS
    ]


def test_lines_add_up_to_their_orders() -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in rows("order_lines.csv"):
        sums[line["order_number"]] += Decimal(line["unit_price"]) * int(line["quantity"])
    orders = rows("orders.csv")
    assert {order["order_number"]: Decimal(order["total"]) for order in orders} == dict(sums)
    assert set(sums) == {number for number, *_ in seed.ORDERS}
    assert {order["email"] for order in orders} <= {row["email"] for row in rows("customers.csv")}


def test_articles_have_what_the_help_centre_needs() -> None:
    articles = sorted((DATA / "articles").rglob("*.md"))
    assert len(articles) >= 6
    for path in articles:
        _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
        fields = yaml.safe_load(head)
        assert fields["category"] in Article.Category.values, path
        assert fields["title"]
        assert fields["summary"]
        assert len(body) > 100, path


def test_the_readme_names_files_that_are_there() -> None:
    text = (DATA.parent / "README.md").read_text(encoding="utf-8")
    named = {word.strip("`(),") for word in text.split() if word.strip("`(),").endswith((".py", ".csv"))}
    missing = {name for name in named if not any(Path(place, name).exists() for place in (ROOT, DATA.parent))}
    assert missing == set()
