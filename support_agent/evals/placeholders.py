"""What stands in braces in the texts of a case: `{paid_order}`, `{paid_order.total}`, `{customer.email}`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from support_agent.evals.records import RECORDS
from tickets.models import Customer, Order

PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)*)\}")
PEOPLE = ("customer", "other")


def unknown(texts: Any, records: Iterable[str], shipped: Iterable[str] = ()) -> list[str]:
    """The placeholders that a case's world will not know, in braces; `shipped` records get their parcel in the case."""
    records, shipped = set(records), set(shipped)
    return sorted(f"{{{path}}}" for path in _named(texts) if not _is_there(path, records, shipped))


def _named(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {path for inner in value.values() for path in _named(inner)}
    if isinstance(value, list | tuple):
        return {path for inner in value for path in _named(inner)}
    return set(PLACEHOLDER.findall(value)) if isinstance(value, str) else set()


def _is_there(path: str, records: set[str], shipped: set[str]) -> bool:
    if path in records or path in PEOPLE:
        return True
    thing, _, attribute = path.rpartition(".")
    if thing in PEOPLE:
        return _has(Customer, attribute)
    if thing not in records:
        return False
    if attribute == "tracking":
        return thing in shipped or RECORDS[thing.removeprefix("other.")].parcel is not None
    return _has(Order, attribute)


def _has(model: type[Model], attribute: str) -> bool:
    return any(field.name == attribute for field in model._meta.concrete_fields)
