"""The demo's password is in the README: a database that was a demo once must not open to it later."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from tests.cast import PASSWORD, Cast
from tickets.demo.people import DEMO_PASSWORD


@pytest.mark.parametrize("demo", [True, False])
def test_it_opens_accounts_only_with_demo(cast: Cast, settings: Settings, demo: bool) -> None:
    settings.DEMO = demo
    for user in (cast.admin, cast.owner_user):
        user.set_password(DEMO_PASSWORD)
        user.save()
    staff, customer = Client(), Client()
    staff.post("/admin/login/", {"username": "admin", "password": DEMO_PASSWORD})
    customer.post("/account/login/", {"email": cast.owner.email, "password": DEMO_PASSWORD})
    assert ["_auth_user_id" in client.session for client in (staff, customer)] == [demo, demo]


def test_passwords_of_ones_own_open_them_anyway(cast: Cast, settings: Settings) -> None:
    settings.DEMO = False
    assert Client().login(username="admin", password=PASSWORD)
