"""What browsers refused on our pages: reports of the content security policy, counted by kind."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class PolicyReport(models.Model):
    """One kind of refusal: what was blocked where. Neither addresses' queries nor any words of a page are kept."""

    id = models.BigAutoField(primary_key=True)
    directive = models.CharField(max_length=40)
    blocked = models.CharField(max_length=120, help_text="A host; 'inline', 'eval' or a scheme where there is none.")
    path = models.CharField(max_length=120, help_text="The page, without its query and ids.")
    count = models.PositiveBigIntegerField(default=0)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-last_seen_at"]
        constraints = [models.UniqueConstraint(fields=["directive", "blocked", "path"], name="policy_report_kind")]

    def __str__(self) -> str:
        return f"{self.directive} {self.blocked} {self.path}"
