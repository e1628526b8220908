"""Lists of anything, over any time: a question that would keep the database busy for long is given up with words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

SECONDS = 5


class TooSlow(Exception):
    """The question needs a narrower span or filter."""


@contextmanager
def patience(seconds: float = SECONDS) -> Iterator[None]:
    """Statements inside may take this long each. Raises TooSlow."""
    try:
        with transaction.atomic():
            _set(statement_timeout=f"{round(seconds * 1000)}ms", jit="off", work_mem="32MB")
            yield
    except OperationalError as error:
        if "statement timeout" not in str(error):
            raise
        raise TooSlow from error


def _set(**settings: str) -> None:
    """Until the transaction's end. Compiling these statements would take longer than running them."""
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [word for pair in settings.items() for word in pair])
