"""The desk that bench_ops makes: as large as asked for, and one that the pages can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support_agent.models import Step, Turn
from support_agent.ops.bench.fill import STAFF, fill
from tickets.models import Conversation, Escalation, Resolution, Survey, User

if TYPE_CHECKING:
    from django.test import Client

PAGES = ("/admin/inbox/?tab=all", "/admin/traces/", "/admin/ops/?span=90d", "/admin/report/")


@pytest.mark.django_db
def test_it_fills_every_table_the_pages_read(client: Client) -> None:
    """The rows are written by SQL of its own: a column that a model gains must be added there too."""
    fill(60, 1_200)
    assert Conversation.objects.count() == 60
    assert Step.objects.count() == pytest.approx(1_200, rel=0.05)
    assert Turn.objects.exists()
    assert Escalation.objects.exists()
    assert Resolution.objects.exists()
    assert Survey.objects.exists()
    client.force_login(User.objects.get(username=STAFF[0][0]))
    for page in PAGES:
        assert client.get(page).status_code == 200, page
