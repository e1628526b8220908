"""How passwords open accounts."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from tickets.demo.people import DEMO_PASSWORD
from tickets.models import User


class PasswordBackend(ModelBackend):
    """Django's, except that the demo's password, which everybody knows, opens nothing once DEMO is off."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        found = super().authenticate(request, username=username, password=password, **kwargs)
        return None if password == DEMO_PASSWORD and not settings.DEMO else found
