"""allauth's records are no pages of the admin: factors hold secrets, and the sign-in's own pages show the rest."""

from __future__ import annotations

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin
from django.contrib import admin

for model in list(admin.site._registry):
    if model.__module__.startswith("allauth."):
        admin.site.unregister(model)
