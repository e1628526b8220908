"""What each role may do in the admin: one table, written into the groups of the same names after every migration.

The pages outside the admin (inbox, traces, ops) ask for the role itself: tickets.access.require_role.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS

from tickets.models import Role

DESK = "tickets.*"
ASSISTANT = "support_agent.*"
APPS = {"tickets", "support_agent", "auth"}
# Nobody's records are hidden from staff but these: who changed what, and people's accounts.
SENSITIVE = ("auditentry", "auditvalue", "user", "verification", "webhook", "webhookdelivery")

WRITTEN = ("article", "articletranslation")
SET_BY_OPS = ("alertroute", "apikey", "retention", "surfacelimit", "switch", "systemlimit", "webhook")

# (role, verb, models): models by name, or all of an app.
TABLE: list[tuple[Role, str, tuple[str, ...]]] = [
    (Role.AGENT, "view", (DESK,)),
    (Role.AGENT, "change", ("ticket", "deliveryproblem")),
    (Role.AGENT, "add", ("ticketcomment",)),
    (Role.LEAD, "view", (DESK, ASSISTANT, *SENSITIVE)),
    (
        Role.LEAD,
        "change",
        (
            "cannedreply",
            "ticket",
            "deliveryproblem",
            "customer",
            *WRITTEN,
            "product",
            "team",
            "staffprofile",
        ),
    ),
    (
        Role.LEAD,
        "add",
        ("cannedreply", "ticketcomment", *WRITTEN, "product", "team", "staffprofile"),
    ),
    (Role.LEAD, "delete", (*WRITTEN, "cannedreply")),
    *[(role, verb, ("savedcase",)) for role in (Role.LEAD, Role.OPS) for verb in ("add", "change")],
    (Role.OPS, "view", (DESK, ASSISTANT, *SENSITIVE)),
    *[(Role.OPS, verb, (*SET_BY_OPS, *WRITTEN)) for verb in ("change", "add")],
    (Role.OPS, "delete", ("alertroute", "retention", "savedcase", "switch", "systemlimit", "webhook")),
    *[(Role.ADMIN, verb, (DESK, ASSISTANT, *SENSITIVE, "group")) for verb in ("view", "add", "change", "delete")],
]


def write_roles(sender: AppConfig, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Make the groups and give each exactly what the table says; a receiver of post_migrate."""
    if sender.label not in APPS:
        return
    create_permissions(sender, verbosity=0, using=using)  # whichever receiver comes first
    known = list(Permission.objects.using(using).select_related("content_type"))
    for role in Role:
        group, _created = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.set(permission for permission in known if is_granted(role, permission))


def is_granted(role: Role, permission: Permission) -> bool:
    """Whether the table gives a role this permission."""
    verb = permission.codename.partition("_")[0]
    app, model = permission.content_type.app_label, permission.content_type.model
    return any(
        model in models or (f"{app}.*" in models and model not in SENSITIVE)
        for who, may, models in TABLE
        if who == role and may == verb
    )
