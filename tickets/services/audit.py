"""The audit: who did what to which record. The database refuses to change or delete an entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, models, transaction
from django.db.models import QuerySet

from tickets.models import AuditEntry, AuditValue, User
from tickets.redaction import without_secrets

MAX_VALUE = 2000


@transaction.atomic
def audit(
    *, actor: User | None, action: str, obj: models.Model, changes: Mapping[str, tuple[Any, Any]] | None = None
) -> AuditEntry:
    """Record one deed; `changes` maps field names to (before, after). No actor means the system itself.

    The entry holds ids and field names only; the values sit apart, where erasure can empty them.
    """
    changes = changes or {}
    entry = AuditEntry.objects.create(
        actor=actor, action=action, object_type=obj._meta.label_lower, object_id=str(obj.pk), fields=list(changes)
    )
    AuditValue.objects.bulk_create(
        AuditValue(entry=entry, field=name, before=_text(before), after=_text(after))
        for name, (before, after) in changes.items()
    )
    return entry


def audit_values_erase(entries: QuerySet[AuditEntry]) -> int:
    """Empty the values of these entries, the only change the database allows; how many values had any."""
    ids = list(entries.order_by().values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT tickets_audit_erase(%s::uuid[])", [ids])
        return int(cursor.fetchone()[0])


def _text(value: Any) -> str:
    return "" if value is None else without_secrets(str(value)[:MAX_VALUE])
