"""What staff saw is not kept by the browser: the next person's "back" shows nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import Cast
from tickets.services.conversations import conversation_create


@pytest.mark.parametrize("path", ["inbox/", "traces/", "inbox/{}/", "traces/{}/", "traces/export.csv"])
def test_staff_pages_are_never_stored(client: Client, cast: Cast, path: str) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    client.force_login(cast.lead)
    answer = client.get(f"/admin/{path.format(conversation.pk)}")
    assert answer.status_code == 200
    assert {"no-store", "private"} <= set(answer["Cache-Control"].replace(" ", "").split(","))
