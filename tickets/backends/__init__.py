"""Where customers, orders, parcels, returns and refunds are kept: here in PostgreSQL, or in a company's own system.

`backend()` answers the one that the setting BACKEND names; nothing else of the product asks who it is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from tickets.backends.port import Backend, Unreachable
from tickets.backends.records import Who
from tickets.db import release

if TYPE_CHECKING:
    from tickets.models import Customer

OWN_TABLES = "tickets.backends.postgres.PostgresBackend"
P = ParamSpec("P")
R = TypeVar("R")
_asking = ThreadPoolExecutor(max_workers=16, thread_name_prefix="backend")


@cache
def backend() -> Backend:
    """The configured backend, one for this process. Raises ImportError or TypeError when BACKEND names none."""
    made = import_string(settings.BACKEND)()
    if not isinstance(made, Backend):
        raise TypeError(f"BACKEND is {settings.BACKEND!r}, but the dotted path of a Backend class is expected.")
    return made


def use_own_tables() -> None:
    """From now on in this process: evaluations bring customers and orders of their own, which no other system has."""
    settings.BACKEND = OWN_TABLES
    backend.cache_clear()


def who_of(customer: Customer) -> Who:
    return Who(id=customer.pk, ref=customer.external_id or "", email=customer.email)


def ask_soon(seconds: float, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Read from the backend for a page that must not wait longer than this. Raises Unreachable.

    A local backend is asked as it is; a remote one in a thread of its own, whose late answer nobody hears.
    """
    if not backend().is_remote:
        return function(*args, **kwargs)
    release()

    def call() -> R:
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    try:
        return _asking.submit(copy_context().run, call).result(timeout=seconds)
    except TimeoutError:
        raise Unreachable("The other system took too long to answer.") from None
