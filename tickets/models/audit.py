"""Who changed what. Entries hold ids and field names and are append-only; the values sit apart and can be erased."""

from __future__ import annotations

from django.db import models

from tickets.models.base import Record
from tickets.models.staff import User


class AuditEntry(Record):
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=60, db_index=True)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64, db_index=True)
    fields = models.JSONField(default=list)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class AuditValue(Record):
    entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="values")
    field = models.CharField(max_length=60)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
