"""The desk's own rate limits count rows, so that they hold without Redis; RATE_LIMIT_SCALE multiplies them too."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from tickets.errors import RateLimited
from tickets.models.base import Record

HOUR = timedelta(hours=1)
R = TypeVar("R", bound=Record)


def check_hourly(rows: QuerySet[R], limit: int) -> None:
    """Raise RateLimited when `limit` of these rows were made within the hour."""
    now = timezone.now()
    limit = max(1, math.ceil(limit * settings.RATE_LIMIT_SCALE))
    recent = rows.filter(created_at__gt=now - HOUR).order_by("-created_at")
    oldest = recent.values_list("created_at", flat=True)[limit - 1 : limit].first()
    if oldest is not None:
        raise RateLimited(int((oldest + HOUR - now).total_seconds()) + 1)
