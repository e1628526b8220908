"""The test database as the cases' world: the help centre is loaded once for a module, everything goes at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.db import connection

from support_agent.evals.world import throwaway_database, undisturbed

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="module")
def evals_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        if not connection.settings_dict["NAME"].startswith("test_"):
            # Only for tests that ask for one by themselves does pytest-django make a database: this file runs alone.
            with throwaway_database():
                yield
            return
        with undisturbed():
            yield
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
