"""Passwords cannot be guessed from many addresses, and guessing does not lock out who comes from their usual place."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from support_agent.runtime import ratelimit
from tests.cast import PASSWORD, Cast, make_staff
from tests.staff_sign_in.conftest import give_app
from tickets.models import Role

pytestmark = pytest.mark.django_db
Door = Callable[..., Client]


def test_an_account_is_counted_but_for_where_it_was_before(
    cast: Cast, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_staff(f"tried-{uuid4().hex[:8]}", Role.LEAD, None)  # tries are remembered for an hour
    give_app(person)
    door(person, address="192.0.2.10")
    monkeypatch.setitem(ratelimit.HOURLY, "login_account", 0)  # whatever the scale, one an hour is left
    said = []
    for number in range(20, 23):
        stranger = Client(REMOTE_ADDR=f"198.51.100.{number}")
        said.append(stranger.post("/admin/login/", {"username": person.username, "password": "guess"}).content.decode())
    assert "Please try again in" not in said[0]
    assert all("Please try again in" in one for one in said[1:])
    usual = Client(REMOTE_ADDR="192.0.2.10")
    assert usual.post("/admin/login/", {"username": person.username, "password": PASSWORD}).status_code == 302
