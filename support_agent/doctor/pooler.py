"""What stands between us and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from support_agent.doctor.finding import Finding
from support_agent.launch.checks import database_trouble, pooler_mode, same_database


def between() -> Iterator[Finding]:
    """Whether LISTEN and the locks of sessions, which runners live by, reach PostgreSQL itself."""
    if database_trouble(settings.DATABASE_URL):
        return
    mode = pooler_mode(settings.DATABASE_URL)
    direct = settings.DATABASE_DIRECT_URL
    if not direct:
        mend = "set DATABASE_DIRECT_URL to PostgreSQL itself"
        if mode == "transaction":
            yield Finding("pooler", "missing", "DATABASE_URL leads through a pooler in transaction mode", mend)
        elif mode:
            yield Finding("pooler", "ok", "DATABASE_URL leads through a pooler in session mode")
    elif trouble := database_trouble(direct):
        detail, _, _ = trouble.replace("DATABASE_URL", "DATABASE_DIRECT_URL").partition(": correct")
        yield Finding("pooler", "missing", detail, "correct DATABASE_DIRECT_URL or start that server")
    elif pooler_mode(direct):
        yield Finding("pooler", "missing", "DATABASE_DIRECT_URL leads through a pooler too", "name PostgreSQL itself")
    elif same_database(settings.DATABASE_URL, direct):
        yield Finding("pooler", "ok", f"{mode or 'no'} pooling; runners' sessions go past it")
    else:
        detail = "DATABASE_DIRECT_URL names another database than DATABASE_URL"
        yield Finding("pooler", "missing", detail, "let both lead to the same one")
