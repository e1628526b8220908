"""One world for each module that asks for it, and for its sockets the usual ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.files.storage import InMemoryStorage
from pytest_django.plugin import DjangoDbBlocker

from tests.security.matrix.world import World, lasting
from tickets.models import Attachment


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Rolled back after the module's last test; each request is undone by itself."""
    files = Attachment._meta.get_field("file")
    kept, files.storage = files.storage, InMemoryStorage()
    try:
        with lasting(django_db_blocker) as made:
            yield made
    finally:
        files.storage = kept
