"""Accounts of a backend, and the rows here that stand for them: a customer of another system has a row of ours too,
which conversations and tickets belong to, found by the system's `ref` and refreshed whenever it is read."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from tickets.backends import backend, who_of
from tickets.backends.records import CustomerRecord
from tickets.errors import Conflict, NotFound
from tickets.models import Customer, Plan
from tickets.selectors.records import customer_record
from tickets.services.audit import audit
from tickets.services.customers import customer_lock, shown_name

OWN = ("name", "phone", "shipping_address", "plan", "status", "locale", "marketing_opt_in", "email")


def account_of(customer: Customer) -> CustomerRecord:
    """The account behind a row of ours: from the other system, which refreshes the row, or the row itself. Raises
    NotFound when the account is gone or closed there, and what a backend raises."""
    if not backend().is_remote:
        return customer_record(customer)
    record = backend().customer(who_of(customer))
    if record is not None:
        _refresh(customer, record)
    if record is None or record.status == Customer.Status.CLOSED:
        raise NotFound
    return record


def account_held(customer: Customer) -> CustomerRecord:
    """The same before a change: a row of ours stays locked to the end of the transaction."""
    return account_of(customer) if backend().is_remote else customer_record(customer_lock(customer.pk))


def customer_of_email(email: str) -> Customer | None:
    """Our row for the account with this address in the other system, made if need be; None when there is no such
    account, or it is closed. Asks the other system: never in a request."""
    record = backend().customer_by_email(email)
    if record is None or record.status == Customer.Status.CLOSED:
        return None
    for __ in range(3):
        try:
            with transaction.atomic():
                customer = _row_of(record)
                break
        except IntegrityError:
            continue  # somebody made the same one meanwhile: read again
    else:
        raise Conflict("This account was opened in several places at once. Please try again.")
    _refresh(customer, record)
    return customer


def _row_of(record: CustomerRecord) -> Customer:
    """By `ref`, else by the address, which binds the two; else a new one."""
    if record.ref and (known := Customer.objects.filter(external_id=record.ref).first()) is not None:
        return known
    lowered = Customer.objects.select_for_update(no_key=True).alias(lowered=Lower("email"))
    customer = lowered.filter(lowered=record.email.strip().lower()).first()
    if customer is None:
        name = shown_name(record.name, record.email)
        return Customer.objects.create(external_id=record.ref or None, email=record.email.strip(), name=name)
    if record.ref and customer.external_id is None:
        customer.external_id = record.ref
        customer.save(update_fields=["external_id"])
        changes = {"external_id": ("", record.ref)}
        audit(actor=None, action="customer.bind_identity", obj=customer, changes=changes)
    elif record.ref and customer.external_id != record.ref:
        raise Conflict("This e-mail address belongs to another account.")
    return customer


def _refresh(customer: Customer, record: CustomerRecord) -> None:
    """Our row follows the record, as far as it has room for it. An address that another row has stays with that."""
    plan = record.plan if record.plan in Plan.values else Plan.FREE
    fresh = {name: getattr(record, name) for name in OWN} | {"plan": plan, "name": record.name[:120] or customer.name}
    if record.email.strip().lower() != customer.email.lower():
        taken = Customer.objects.alias(lowered=Lower("email")).filter(lowered=record.email.strip().lower())
        if taken.exclude(pk=customer.pk).exists():
            fresh.pop("email")
    changed = [name for name, value in fresh.items() if getattr(customer, name) != value]
    for name in changed:
        setattr(customer, name, fresh[name])
    if changed:
        customer.save(update_fields=changed)
