"""The company this installation speaks for: one row, read through `tickets.workspace.workspace()`."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q

from tickets.figures import POLICY
from tickets.models.base import money
from tickets.workspace import DEFAULT


def usual_week() -> list[Any]:
    """Intervals of minutes for Monday to Sunday, as JSON keeps them."""
    return [[list(span) for span in day] for day in DEFAULT.week]


class Workspace(models.Model):
    """One row; its version changes with every change, so that processes know when to read again."""

    class Tone(models.TextChoices):
        WARM = "warm", "Warm"
        NEUTRAL = "neutral", "Neutral"
        FORMAL = "formal", "Formal"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.UUIDField(default=uuid4, editable=False)
    name = models.CharField(max_length=60, default=DEFAULT.name)
    legal_line = models.CharField(max_length=200, blank=True, default=DEFAULT.legal_line)
    return_address = models.TextField(max_length=300, blank=True, default=DEFAULT.return_address)
    return_carrier = models.CharField(max_length=60, blank=True, default=DEFAULT.return_carrier)
    email = models.EmailField(default=DEFAULT.email)
    privacy_email = models.EmailField(blank=True, default=DEFAULT.privacy_email)
    website = models.URLField(blank=True, default=DEFAULT.website)
    privacy_url = models.URLField(blank=True, default="")
    privacy_text = models.TextField(max_length=20_000, blank=True, default="")
    terms_url = models.URLField(blank=True, default="")
    logo = models.BinaryField(blank=True, default=bytes)
    icon = models.BinaryField(blank=True, default=bytes)
    logo_digest = models.CharField(max_length=16, blank=True, default="", editable=False)
    logo_width = models.PositiveSmallIntegerField(default=24, editable=False)
    accent = models.CharField(max_length=7, blank=True, default="")
    accent_dark = models.CharField(max_length=7, blank=True, default="")
    tone = models.CharField(max_length=10, choices=Tone.choices, default=Tone.WARM)
    house_style = models.CharField(max_length=500, blank=True, default="")
    greeting = models.CharField(max_length=200, blank=True, default="")
    openers = models.TextField(max_length=600, blank=True, default="")
    currency = models.CharField(max_length=3, default=DEFAULT.currency)
    languages = models.JSONField(default=list, blank=True)
    time_zone = models.CharField(max_length=60, default=DEFAULT.time_zone)
    week = models.JSONField(default=usual_week)
    holidays = models.JSONField(default=dict, blank=True)
    return_days = models.PositiveSmallIntegerField(default=POLICY.return_days)
    label_days = models.PositiveSmallIntegerField(default=POLICY.label_days)
    return_fee = money(default=POLICY.return_fee)
    refund_days = models.PositiveSmallIntegerField(default=POLICY.refund_days)
    refund_limit = money(default=POLICY.refund_limit)
    problem_days = models.PositiveSmallIntegerField(default=POLICY.problem_days)
    lost_after_days = models.PositiveSmallIntegerField(default=POLICY.lost_after_days)
    order_number_format = models.CharField(max_length=200, default=DEFAULT.order_number_format)
    other_number_formats = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name_plural = "workspace"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="workspace_one_row"),
            models.CheckConstraint(
                condition=Q(refund_limit__gte=0) & Q(refund_limit__lte=POLICY.refund_limit),
                name="workspace_refund_limit_within_contract",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """With a new version, however it came to be saved."""
        self.version = uuid4()
        if (names := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*names, "version"}
        super().save(*args, **kwargs)
