"""Alerts, where they go, and each one's way there."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models import Q
from django.utils import timezone

from tickets.models import User
from tickets.models.base import Record
from tickets.outgoing import address_trouble

OPS_AND_ADMIN = "ops and admin"


class Alert(Record):
    """Something ops should know, said once for its key and period.

    With a `subject` it is a condition: it stays open while the condition is seen, and ends with it. Without one it is
    an event, and closes by itself after a day.
    """

    class Severity(models.TextChoices):
        INFO = "info", "Good to know"
        WARNING = "warning", "Look at it today"
        PAGE = "page", "Look at it now"

    kind = models.CharField(max_length=30, db_index=True)
    key = models.CharField(max_length=120)
    subject = models.CharField(max_length=120, blank=True, help_text="What the condition is about; empty for an event.")
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.WARNING)
    text = models.CharField(max_length=500)
    details = models.JSONField(default=dict, blank=True)
    causes = models.JSONField(default=dict, blank=True, help_text="Top customers, tools, prompt version, cache share.")
    seen_at = models.DateTimeField(default=timezone.now, editable=False, help_text="When the condition was seen last.")
    resolved_at = models.DateTimeField(null=True, blank=True, editable=False)
    acknowledged_at = models.DateTimeField(null=True, blank=True, editable=False)
    acknowledged_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sent_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it reached everyone it should."
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="alert_once")]
        indexes = [
            models.Index(fields=["-created_at"], name="alert_by_time"),
            models.Index(fields=["kind", "subject"], condition=Q(resolved_at__isnull=True), name="alert_open"),
        ]

    def __str__(self) -> str:
        return self.text


SEVERITIES: list[str] = list(Alert.Severity.values)  # from the least on


class AlertRoute(Record):
    """Where alerts go: the people of ops and admin, an address or a webhook; from which severity on, and when not."""

    class Kind(models.TextChoices):
        STAFF = "staff", "Ops and admin by e-mail"
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    target = models.CharField(
        max_length=500,
        blank=True,
        help_text="An e-mail address, or an https address that takes POST. Empty for ops and admin.",
    )
    secret = models.CharField(
        max_length=200, blank=True, help_text="Signs a webhook's body (HMAC-SHA256). Left empty, one is made."
    )
    least = models.CharField("from", max_length=8, choices=Alert.Severity.choices, default=Alert.Severity.WARNING)
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="In the shop's time; 'look at it now' comes all the same."
    )
    quiet_until = models.TimeField(null=True, blank=True)
    per_hour = models.PositiveSmallIntegerField(
        "messages an hour", default=6, help_text="What is more comes together in one."
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["kind", "target"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "target"], name="alert_route_once"),
            models.CheckConstraint(condition=Q(per_hour__gte=1), name="alert_route_some_messages"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.shown}".rstrip()

    @property
    def shown(self) -> str:
        """The target without what may be secret: of a webhook, only its host."""
        if self.kind == self.Kind.WEBHOOK:
            return urlsplit(self.target).hostname or ""
        return "" if self.kind == self.Kind.STAFF else self.target

    def clean(self) -> None:
        """Raises ValidationError, by field."""
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValidationError({"quiet_until": "Quiet hours need both a beginning and an end."})
        if self.kind == self.Kind.STAFF:
            self.target = OPS_AND_ADMIN
        elif self.kind == self.Kind.EMAIL:
            try:
                validate_email(self.target)
            except ValidationError:
                raise ValidationError({"target": "This is no e-mail address."}) from None
        elif trouble := address_trouble(self.target):
            raise ValidationError({"target": trouble})

    def save(self, *args: Any, **options: Any) -> None:
        if self.kind == self.Kind.WEBHOOK and not self.secret:
            self.secret = secrets.token_urlsafe(32)  # nothing leaves unsigned
        super().save(*args, **options)


class AlertDelivery(Record):
    """One notice of one alert on its way to one route, sent at most once.

    Deliveries with the same `message_id` travel in one message; it is the id that a receiver can tell repeats by.
    """

    class Notice(models.TextChoices):
        RAISED = "raised", "Raised"
        WORSE = "worse", "Worse"
        RESOLVED = "resolved", "Resolved"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    route = models.ForeignKey(AlertRoute, on_delete=models.CASCADE, related_name="deliveries")
    notice = models.CharField(max_length=8, choices=Notice.choices, default=Notice.RAISED)
    due_at = models.DateTimeField(help_text="Later than the alert during quiet hours, or after a failure.")
    message_id = models.UUIDField(null=True, blank=True, editable=False, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "alert deliveries"
        constraints = [models.UniqueConstraint(fields=["alert", "route", "notice"], name="alert_delivery_once")]
        indexes = [
            models.Index(fields=["route", "due_at"], condition=Q(sent_at__isnull=True), name="alert_delivery_due"),
            models.Index(fields=["route", "sent_at"], name="alert_delivery_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.get_notice_display()}: {self.alert_id} to {self.route_id}"
