"""What every model shares."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tickets.ids import new_id


class Record(models.Model):
    """A row with a time-ordered UUID and the moment it was made (UTC)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


def money(**options: object) -> models.DecimalField:  # type: ignore[type-arg]
    """A column of money: Decimal, two places, up to 9,999,999.99."""
    return models.DecimalField(max_digits=9, decimal_places=2, **options)  # type: ignore[arg-type]
