"""The test database as the cases' world: the help centre is loaded once for a module, everything goes at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from support_agent.evals.world import undisturbed

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="module")
def evals_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        with undisturbed():
            yield
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
