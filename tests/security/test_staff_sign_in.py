"""The staff's passwords cannot be tried by the thousand."""

from __future__ import annotations

import pytest
from django.test import Client

from support_agent.runtime import ratelimit
from tests.cast import PASSWORD, Cast


def test_too_many_tries_lock_the_right_password_out_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ratelimit.RATES, "login", 0)  # whatever the scale, one a minute is left
    attacker = Client(REMOTE_ADDR="192.0.2.80")
    first = attacker.post("/admin/login/", {"username": "admin", "password": "guess"})
    assert "correct username and password" in first.content.decode()
    second = attacker.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert "Please try again in" in second.content.decode()
    assert "_auth_user_id" not in attacker.session
    elsewhere = Client(REMOTE_ADDR="192.0.2.81")
    assert elsewhere.post("/admin/login/", {"username": "admin", "password": PASSWORD}).status_code == 302
