"""The audit is held by the database: entries stay as they are, values can only be emptied, and by one path."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from tests.cast import Cast
from tickets.models import AuditEntry, AuditValue
from tickets.services.audit import audit, audit_values_erase

pytestmark = pytest.mark.django_db
ERASING = "SET LOCAL tickets.erasure = 'on'; "


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tickets_auditentry SET action = 'nothing'",
        "DELETE FROM tickets_auditentry",
        "TRUNCATE tickets_auditentry CASCADE",
        "UPDATE tickets_auditvalue SET after = ''",
        "DELETE FROM tickets_auditvalue",
        "TRUNCATE tickets_auditvalue",
        ERASING + "UPDATE tickets_auditvalue SET after = 'another'",
        ERASING + "UPDATE tickets_auditvalue SET after = '', field = 'other'",
        ERASING + "DELETE FROM tickets_auditvalue",
        ERASING + "TRUNCATE tickets_auditvalue",
        ERASING + "UPDATE tickets_auditentry SET actor_id = NULL",
    ],
)
def test_nothing_else_is_possible(cast: Cast, change: str) -> None:
    audit(actor=cast.lead, action="order.note", obj=cast.paid, changes={"note": ("", "call first")})
    connection.check_constraints()  # a TRUNCATE would wait for what is deferred
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert AuditValue.objects.get().after == "call first"


def test_values_go_and_what_happened_stays(cast: Cast) -> None:
    first = audit(actor=cast.lead, action="order.note", obj=cast.paid, changes={"note": ("", "call first")})
    audit(actor=cast.lead, action="order.note", obj=cast.foreign, changes={"note": ("a", "b")})
    assert audit_values_erase(AuditEntry.objects.filter(pk=first.pk)) == 1
    assert audit_values_erase(AuditEntry.objects.filter(pk=first.pk)) == 0
    kept = {(one.before, one.after) for one in AuditValue.objects.all()}
    assert kept == {("", "[erased]"), ("a", "b")}
    assert AuditEntry.objects.get(pk=first.pk).fields == ["note"]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():  # the path is shut behind it
        AuditValue.objects.update(after="")
