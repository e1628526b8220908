"""What was spent against which limit, and which processes are alive."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Spend(models.Model):
    """One running total in USD: `scope` is conversation, customer, address or surface; `period` a day or ''."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=16)
    key = models.CharField(max_length=80)
    period = models.CharField(max_length=10, blank=True)
    spent_usd = models.DecimalField(max_digits=15, decimal_places=9, default=0)
    reserved_usd = models.DecimalField(max_digits=15, decimal_places=9, default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key", "period"], name="spend_one_row_per_limit")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key} {self.period}".rstrip()


class Heartbeat(models.Model):
    """A live process: runner, worker, scheduler or web. A runner holds the advisory lock `lock_key` while it lives."""

    name = models.CharField(primary_key=True, max_length=80)
    kind = models.CharField(max_length=12, db_index=True)
    lock_key = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
