"""Every payload in every text field: a row of each model for each, on the lists and on pages of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.cast import Cast
from tests.conftest import CHROMIUM
from tests.content.corpus import PAYLOADS
from tests.content.pages import addresses, shown
from tests.content.test_stored_text import findings, is_public, sign_in
from tests.content.world import World

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no /usr/bin/chromium"),
]
WHOLE = 90  # of every so many sets, each page there is
THREADS = 12  # of every so many, the conversation alone


def test_every_payload_in_every_field(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    world = World(PAYLOADS, cast, sets=len(PAYLOADS))
    staff, customer = Client(raise_request_exception=False), Client(raise_request_exception=False)
    staff.force_login(cast.admin)
    pages = list(shown(staff, staff_paths(world)))
    for at in range(0, world.planter.sets, THREADS):
        sign_in(customer, world.conversations[at])
        pages += shown(customer, ["/"])
        if at % WHOLE == 0:
            pages += shown(customer, (one for one in addresses(world, at) if is_public(one)))
    assert len(pages) > 1000
    assert not findings(pages)


def staff_paths(world: World) -> Iterator[str]:
    for at in range(0, world.planter.sets, WHOLE):
        yield from addresses(world, at)
    for conversation in world.conversations[::THREADS]:
        yield from (f"/admin/inbox/{conversation.pk}/", f"/admin/traces/{conversation.pk}/")
    for model in admin.site._registry:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        yield from (f"{url}?p={page}" for page in range(1, 7))
