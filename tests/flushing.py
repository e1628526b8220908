"""Emptying the database between tests that commit: only the tables that hold rows, by DELETE.

Django truncates every table each time, which makes new files for each and its indexes, and writes roles and permissions
anew: half a second, for a test that wrote ten rows. Here roles and permissions stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.commands import flush
from django.db.backends.postgresql.operations import DatabaseOperations

ROLES = ("auth_group", "auth_group_permissions", "auth_permission", "django_content_type")
APPEND_ONLY = ("tickets_auditvalue", "tickets_auditentry")  # their triggers refuse a DELETE, and a TRUNCATE
EMPTY = """
DO $$
DECLARE
    name text;
    is_filled boolean;
BEGIN
    SELECT EXISTS (SELECT 1 FROM tickets_auditentry) INTO is_filled;
    IF is_filled THEN
        ALTER TABLE tickets_auditvalue DISABLE TRIGGER USER;
        ALTER TABLE tickets_auditentry DISABLE TRIGGER USER;
        TRUNCATE {append_only};
        ALTER TABLE tickets_auditvalue ENABLE TRIGGER USER;
        ALTER TABLE tickets_auditentry ENABLE TRIGGER USER;
    END IF;
    FOREACH name IN ARRAY ARRAY[{tables}] LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO is_filled;
        IF is_filled THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
END $$
"""


def sql_flush(_: Any, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
    """In place of DatabaseOperations.sql_flush; foreign keys are checked at the commit, so the order is free."""
    names = ", ".join(f"'{name}'" for name in tables if name not in (*APPEND_ONLY, *ROLES))
    return [EMPTY.format(append_only=", ".join(APPEND_ONLY), tables=names)] if names else []


def empty_by_delete() -> None:
    """From now on, in this process."""
    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign, assignment]
    flush.emit_post_migrate_signal = lambda *_, **__: None  # type: ignore[attr-defined]
