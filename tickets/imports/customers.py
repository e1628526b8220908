"""Customers from a CSV file. Known by their external_id, else by their e-mail address."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.functions import Lower

from tickets.imports.records import Done, Step, changed_fields, each_row, kept_back, remember
from tickets.imports.report import Deed, Report
from tickets.imports.rows import BadValue, Row
from tickets.models import Customer, ImportedRecord, Plan
from tickets.services.customers import NO, YES, InvalidValue, customer_clean

REQUIRED = ("email", "name")
COLUMNS = (*REQUIRED, "external_id", "phone", "shipping_address", "plan", "status", "locale", "marketing_opt_in")
EXAMPLE = """email,name,external_id,phone,shipping_address,plan,status,locale,marketing_opt_in
mia.meyer@example.com,Mia Meyer,shop-1001,+49 30 901820,"Lindenweg 4
10115 Berlin
Germany",plus,active,de-DE,yes
tom.reed@example.com,Tom Reed,shop-1002,,"12 Fir Street
Portland, OR 97205
USA",free,active,en-US,no
"""


def import_customers(
    rows: Iterable[Row],
    *,
    file: str,
    report: Report,
    overwrite: bool = False,
    is_erased: Callable[[str], bool] = lambda email: False,
    step: Step = lambda _: None,
) -> None:
    """Create and change them. Whoever was erased on request is not brought back."""
    seen: dict[str, int] = {}

    def one(row: Row) -> Done:
        email = _email(row)
        if email.lower() in seen:
            raise BadValue(f"{email} stands in line {seen[email.lower()]} already")
        seen[email.lower()] = row.line
        if is_erased(email):
            return Done(Deed.SKIPPED, "", "was erased on request, and does not come back")
        return _customer(row, email, overwrite)

    each_row(rows, file, one, report=report, step=step)


def _customer(row: Row, email: str, overwrite: bool) -> Done:
    told = {name: value for name, value in row.cells.items() if value}
    new = {"email": email, **_values(row)}
    known = _known(row.text("external_id", most=200), email)
    if known is None:
        customer = Customer(**new)
        customer.full_clean()
        customer.save()
        remember(ImportedRecord(customer=customer), told, new)
        return Done(Deed.CREATED, customer.name)
    record = ImportedRecord.objects.filter(customer=known).first() or ImportedRecord(customer=known)
    if known.status == Customer.Status.CLOSED and new.get("status") != Customer.Status.CLOSED and not overwrite:
        return Done(Deed.CONFLICT, known.name, "the account is closed here; --overwrite takes the source's")
    write, mine = changed_fields(known, new, record.left)
    if overwrite:
        write, mine = [name for name, value in new.items() if getattr(known, name) != value], []
    for name in write:
        setattr(known, name, new[name])
    if write:
        known.full_clean()
        known.save(update_fields=write)
    if write or record.pk is None or not record.digest:
        remember(record, told, {name: new[name] for name in new if name not in mine})
    if mine:
        return Done(Deed.CONFLICT, known.name, kept_back(mine))
    return Done(Deed.UPDATED, known.name, ", ".join(write)) if write else Done(Deed.UNCHANGED, known.name)


def _email(row: Row) -> str:
    email = row.text("email", required=True, most=254)
    try:
        validate_email(email)
    except ValidationError:
        raise BadValue(f"email is {email!r}, which is no e-mail address") from None
    return email


def _values(row: Row) -> dict[str, Any]:
    """The fields that the row fills; an empty cell says nothing."""
    locale = row.text("locale", most=12) or "en"
    values: dict[str, Any] = {"name": row.text("name", required=True)}
    values |= {name: found for name in ("phone", "shipping_address") if (found := row.text(name))}
    for name, value in values.items():
        try:
            values[name] = customer_clean(name, value, locale=locale)
        except InvalidValue as problem:
            raise BadValue(f"{name} {problem.message}") from None
    if row.text("external_id"):
        values["external_id"] = row.text("external_id")
    if row.text("plan"):
        values["plan"] = row.choice("plan", Plan.values)
    if row.text("status"):
        values["status"] = row.choice("status", Customer.Status.values)
    if row.text("locale"):
        values["locale"] = locale
    if row.text("marketing_opt_in"):
        values["marketing_opt_in"] = row.choice("marketing_opt_in", sorted(YES | NO)) in YES
    return values


def _known(external_id: str, email: str) -> Customer | None:
    """Raises BadValue when the id is one customer's and the address another's."""
    rows = Customer.objects.select_for_update(no_key=True)
    by_id = rows.filter(external_id=external_id).first() if external_id else None
    by_email = rows.alias(lowered=Lower("email")).filter(lowered=email.lower()).first()
    if by_id is not None and by_email is not None and by_id != by_email:
        raise BadValue(f"external_id {external_id!r} is another customer's than {email}")
    if by_id is None and by_email is not None and external_id and by_email.external_id not in (None, external_id):
        raise BadValue(f"{email} belongs to another external_id")
    return by_id or by_email
