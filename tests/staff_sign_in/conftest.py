"""Staff at their door, in production: a second factor is required."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from support_agent.sign_in import standing
from tests.cast import PASSWORD
from tickets.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def production(settings: Any) -> None:
    settings.DEMO = False
    settings.STAFF_MFA = "required"
    settings.ALLOWED_HOSTS = ["testserver", "localhost"]
    standing._known.clear()


@pytest.fixture
def door() -> Callable[..., Client]:
    """Somebody who went through the door: password, and the code of the app when they have one."""

    def enter(user: User, *, agent: str = "", address: str = "127.0.0.1") -> Client:
        browser = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=address)
        browser.post("/admin/login/", {"username": user.username, "password": PASSWORD})
        if Authenticator.objects.filter(user=user, type="totp").exists():
            browser.post("/admin/login/code/", {"code": code_now(user)})
        return browser

    return enter


def give_app(user: User) -> list[str]:
    """An authenticator app with SECRET; the recovery codes that come with it."""
    TOTP.activate(user, SECRET)
    standing.forget(user.pk)
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


def code_now(user: User, secret: str = SECRET) -> str:
    """The code of this half minute, good once more."""
    code: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    cache.delete(f"allauth.mfa.totp.used?user={user.pk}&code={code}")
    return code
