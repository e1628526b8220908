"""The staff's sign-in, with the customers' limit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from support_agent.addresses import client_address
from support_agent.runtime.ratelimit import allow
from tickets.errors import RateLimited


class StaffSignIn(AdminAuthenticationForm):
    """The staff's sign-in, with the customers' limit: passwords cannot be tried by the thousand."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        try:
            allow("login", client_address(self.request.META))
        except RateLimited as limited:
            raise ValidationError(limited.message) from None
        return super().clean()


admin.site.login_form = StaffSignIn
