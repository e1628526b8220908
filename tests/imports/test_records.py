"""Customers and orders from CSV: as often as one likes, and never over what happened here."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from support_agent.privacy.erase import erase
from tests.cast import Cast, make_cast
from tests.imports.conftest import Run, deeds, whys
from tickets.models import Customer, ImportedRecord, Order, OrderLine, Product, Refund, Shipment
from tickets.services.customers import customer_update
from tickets.services.orders import order_cancel
from tickets.services.refunds import refund_create
from tickets.workspace import Workspace, as_if


def example(command: str, *which: str) -> str:
    out = StringIO()
    call_command(command, "--example", *which, stdout=out)
    return out.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    texts = {
        "customers": example("import_customers"),
        "orders": example("import_orders"),
        "lines": example("import_orders", "lines"),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8-sig")
    return {name: tmp_path / f"{name}.csv" for name in texts}


@pytest.fixture
def imported(run: Run, files: dict[str, Path]) -> dict[str, Path]:
    for report in (
        run("import_customers", files["customers"]),
        run("import_orders", files["orders"], "--lines", files["lines"]),
    ):
        assert (report["counts"]["created"], report["exit"]) == (2, 0)
    return files


def again(run: Run, files: dict[str, Path], *more: str) -> dict[str, object]:
    return run("import_orders", files["orders"], "--lines", files["lines"], *more)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8-sig")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_examples_come_in_whole(imported: dict[str, Path]) -> None:
    mia = Customer.objects.get(external_id="shop-1001")
    assert (mia.email, mia.plan, mia.locale, mia.marketing_opt_in) == ("mia.meyer@example.com", "plus", "de-DE", True)
    assert mia.shipping_address == "Lindenweg 4\n10115 Berlin\nGermany"
    order = Order.objects.get(order_number="AP-300001")
    assert (order.customer, order.status, order.currency) == (mia, "delivered", "EUR")
    assert (order.total, order.paid_total, order.refunded_total) == (
        Decimal("180.00"),
        Decimal("180.00"),
        Decimal("25.00"),
    )
    assert order.placed_at == datetime(2026, 3, 1, 13, 30, tzinfo=UTC)
    lines = OrderLine.objects.filter(order=order).values_list("sku", "quantity", "unit_price", "returned_quantity")
    assert list(lines) == [("LAN-01-BLK", 2, Decimal("25.00"), 1), ("TNT-2P-GRN", 1, Decimal("130.00"), 0)]
    assert Shipment.objects.get(order=order).tracking_number == "DHL-4711"
    assert Product.objects.get(sku="LAN-01-BLK").category == "camping"


def test_the_same_files_change_nothing(run: Run, imported: dict[str, Path]) -> None:
    before = Refund.objects.count(), OrderLine.objects.count(), Shipment.objects.count()
    assert set(deeds(run("import_customers", imported["customers"])).values()) == {"unchanged"}
    assert set(deeds(again(run, imported)).values()) == {"unchanged"}
    assert (Refund.objects.count(), OrderLine.objects.count(), Shipment.objects.count()) == before


def test_a_dry_run_writes_nothing(run: Run, files: dict[str, Path]) -> None:
    report = run("import_customers", files["customers"], "--dry-run")
    assert report["counts"]["created"] == 2
    assert not Customer.objects.exists()
    assert not ImportedRecord.objects.exists()


def test_what_changed_there_comes_and_what_changed_here_stays(run: Run, imported: dict[str, Path]) -> None:
    mia = Customer.objects.get(external_id="shop-1001")
    customer_update(customer_id=mia.pk, field="phone", value="+49 30 901821")
    assert set(deeds(run("import_customers", imported["customers"])).values()) == {"unchanged"}
    change(imported["customers"], "plus,active", "enterprise,active")
    assert "plan" in whys(run("import_customers", imported["customers"]))
    change(imported["customers"], "901820", "901899")
    assert "phone stayed" in whys(run("import_customers", imported["customers"]))
    mia.refresh_from_db()
    assert (mia.plan, mia.phone) == ("enterprise", "+49 30 901821")
    run("import_customers", imported["customers"], "--overwrite")
    mia.refresh_from_db()
    assert mia.phone == "+49 30 901899"


def test_an_order_moves_on_until_something_was_done_here(run: Run, imported: dict[str, Path]) -> None:
    change(imported["orders"], "AP-300002,tom.reed@example.com,paid", "AP-300002,tom.reed@example.com,packed")
    assert "status" in whys(again(run, imported))
    assert Order.objects.get(order_number="AP-300002").status == "packed"
    tom = Customer.objects.get(email="tom.reed@example.com")
    Order.objects.filter(order_number="AP-300002").update(status="paid")
    order_cancel(customer_id=tom.pk, order_number="AP-300002", reason="x")
    change(imported["orders"], ",packed", ",shipped")
    assert "it was cancelled here" in whys(again(run, imported))
    assert Order.objects.get(order_number="AP-300002").status == "cancelled"


def test_a_refund_made_here_is_never_touched(run: Run, imported: dict[str, Path]) -> None:
    tom = Customer.objects.get(email="tom.reed@example.com")
    Order.objects.filter(order_number="AP-300002").update(status="delivered", delivered_at=datetime.now(UTC))
    refund_create(customer_id=tom.pk, order_number="AP-300002", amount=Decimal(5), reason="x")
    Refund.objects.filter(order__order_number="AP-300002").update(approved_by=make_cast().lead)
    change(imported["orders"], "AP-300002,tom.reed@example.com,paid", "AP-300002,tom.reed@example.com,refunded")
    assert "a refund was made here" in whys(again(run, imported))
    assert Refund.objects.filter(order__order_number="AP-300002").count() == 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("180.00,EUR", "1e2,EURO", "currency is 'EURO'"),
        (",180.00,EUR", ",180.005,EUR", "total is '180.005'"),
        (",180.00,EUR", ",NaN,EUR", "total is 'NaN'"),
        (",180.00,EUR", ",-1,EUR", "total is '-1'"),
        ('180.00,25.00', '180.00,200.00', "refunded is 200.00, more than was paid"),
        ("2026-03-01T14:30:00+01:00", "2026-03-01T14:30:00", "a time with its zone is expected"),
        ("2026-03-01T14:30:00+01:00", "2026-02-31T14:30:00Z", "a time with its zone is expected"),
        ("AP-300001,mia.meyer", "AP-300001,no.body", "there is no customer no.body@example.com"),
        ("delivered,180", "lost,180", "status is 'lost'; one of pending, paid"),
        ("AP-300001,mia", "AP-300001-TOO-LONG-BY-FAR-FOR-ANY-ORDER-NUMBER,mia", "order_number has 46 characters"),
        ("DHL-4711,DHL", ",DHL", "carrier without a tracking_number"),
    ],
)  # fmt: skip
def test_one_bad_row_stops_no_other(run: Run, files: dict[str, Path], old: str, new: str, why: str) -> None:
    run("import_customers", files["customers"])
    change(files["orders"], old, new)
    report = run("import_orders", files["orders"])
    assert report["exit"] == 1
    assert why in whys(report)
    assert list(Order.objects.values_list("order_number", flat=True)) == ["AP-300002"]


def test_a_bad_line_keeps_its_whole_order_out(run: Run, files: dict[str, Path]) -> None:
    run("import_customers", files["customers"])
    change(files["lines"], "Lantern,black,2", "Lantern,black,0")
    report = again(run, files)
    assert "its line 3: quantity" in whys(report)
    assert set(Order.objects.values_list("order_number", flat=True)) == {"AP-300002"}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("nobody,Nobody", "email is 'nobody'"),
        ("a@example.com,", "name is empty"),
        ("a@example.com,<b>", "name must be"),
        ("mia.meyer@example.com,Mia", "stands in line 2 already"),
        ("a@example.com,Ann,x,y,z,w,v,u,t,s,r", "more cells than there are columns"),
        ("a@example.com,Ann,,12", "phone must be"),
        ("a@example.com,Ann,,,,gold", "plan is 'gold'"),
    ],
)
def test_customers_that_cannot_be_read(run: Run, files: dict[str, Path], row: str, why: str) -> None:
    files["customers"].write_text(files["customers"].read_text(encoding="utf-8-sig") + row + "\n", encoding="utf-8")
    report = run("import_customers", files["customers"])
    assert (report["exit"], report["counts"]["created"]) == (1, 2)
    assert why in whys(report)


def test_who_was_erased_does_not_come_back(run: Run, imported: dict[str, Path]) -> None:
    erase("mia.meyer@example.com")
    assert not ImportedRecord.objects.filter(customer__external_id="shop-1001").exists()
    assert ImportedRecord.objects.count() == 2, "the other customer's, and their order's"
    report = run("import_customers", imported["customers"])
    assert "was erased on request" in whys(report)
    assert not Customer.objects.filter(email="mia.meyer@example.com").exists()
    assert "there is no customer mia.meyer" in whys(again(run, imported))


@pytest.mark.parametrize("text", ["", "name\nx\n", "email,name,shoe\n", "email,name,email\n"])
def test_a_file_of_another_shape_is_refused_whole(db: None, tmp_path: Path, text: str) -> None:
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(CommandError) as refused:
        call_command("import_customers", str(tmp_path / "c.csv"))
    assert refused.value.returncode == 2


def test_another_customers_order_is_left_alone(run: Run, files: dict[str, Path]) -> None:
    cast: Cast = make_cast()
    run("import_customers", files["customers"])
    change(files["orders"], "AP-300001", cast.foreign.order_number)
    assert "belongs to another customer" in whys(run("import_orders", files["orders"]))


def test_orders_of_a_company_with_its_own_numbers_and_currency(run: Run, files: dict[str, Path]) -> None:
    """Written in any way, found as tools ask; without a currency the workspace's."""
    run("import_customers", files["customers"])
    long = "SHOP-2026-NORTH-00000012345678901"
    change(files["orders"], "AP-300001", "fc 2026 01234")
    change(files["orders"], "AP-300002", long)
    change(files["orders"], "130.00,USD,", "130.00,,")
    lines = files["lines"].read_text(encoding="utf-8-sig").replace("AP-300002", long)
    files["lines"].write_text(lines.replace("AP-300001", "FC2026-01234"), encoding="utf-8")
    with as_if(Workspace(order_number_format="FC-####-#####", currency="EUR")):
        report = run("import_orders", files["orders"], "--lines", files["lines"])
        assert (report["counts"]["created"], report["exit"]) == (2, 0)
        assert again(run, files)["counts"]["unchanged"] == 2  # type: ignore[index]
    assert OrderLine.objects.filter(order__order_number="FC-2026-01234").count() == 2
    assert Order.objects.get(order_number=long).currency == "EUR"
