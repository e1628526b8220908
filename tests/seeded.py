"""The whole demo shop for the tests of a module: seeded once, rolled back after the last of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from support_agent.demo.seed import seed_demo


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Ask for it together with `db`: a test's own changes are undone at its end, the shop's at the module's."""
    with django_db_blocker.unblock(), transaction.atomic():
        assert seed_demo()
        yield
        transaction.set_rollback(True)
