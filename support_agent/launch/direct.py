"""Past the pooler: commands whose session must be one and the same go to PostgreSQL itself."""

from __future__ import annotations

from django.conf import settings


def past_the_pooler() -> None:
    """Let the ORM of this process, and the programs it starts, use DATABASE_DIRECT_URL where there is one.

    Call it before the first question to the database.
    """
    from support_agent.settings import database

    if settings.DATABASE_DIRECT_URL:
        settings.DATABASE_URL = settings.DATABASE_DIRECT_URL
        settings.DATABASES["default"] = database(settings.DATABASE_URL)
