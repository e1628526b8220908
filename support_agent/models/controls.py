"""What staff and the system breakers may turn: limits by surface, switches, and the alerts they raise."""

from __future__ import annotations

from django.db import models

from support_agent.agent.types import Surface
from tickets.models import User
from tickets.models.base import Record


class SurfaceLimit(Record):
    """Changed hard limits of one surface, in USD; an empty field keeps the default of agent.config."""

    surface = models.CharField(
        max_length=12, unique=True, choices=[(s.value, s.value.replace("_", " ")) for s in Surface]
    )
    step = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    turn = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    turn_tokens = models.PositiveIntegerField(null=True, blank=True)
    conversation = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    day = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    steps = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of one turn.")
    surface_day = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, help_text="Of all its customers together, a day."
    )

    class Meta:
        ordering = ["surface"]

    def __str__(self) -> str:
        return self.get_surface_display()


class Switch(Record):
    """One switch that is on. Staff turn it with a reason; a system breaker turns its own and staff may override it."""

    class Name(models.TextChoices):
        STOP_ASSISTANT = "stop_assistant", "Stop the assistant: people answer"
        PIN_SMALL = "pin_small", "Only the small model"
        PAUSE_NEW = "pause_new", "No new conversations"
        THROTTLE_NEW = "throttle_new", "Fewer new conversations"
        DISABLE_TOOL = "disable_tool", "Disable one tool"

    class Source(models.TextChoices):
        STAFF = "staff", "Staff"
        BREAKER = "breaker", "System breaker"

    name = models.CharField(max_length=16, choices=Name.choices)
    tool = models.CharField(max_length=64, blank=True, help_text="For 'disable one tool': its name.")
    source = models.CharField(max_length=8, choices=Source.choices, default=Source.STAFF)
    reason = models.CharField(max_length=300)
    changed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    overridden_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then it has no effect and its breaker does not trip again."
    )

    class Meta:
        ordering = ["name", "tool"]
        verbose_name_plural = "switches"
        constraints = [models.UniqueConstraint(fields=["name", "tool"], name="switch_once")]

    def __str__(self) -> str:
        return f"{self.get_name_display()} {self.tool}".rstrip()


class Alert(Record):
    """Something ops should know, said once for its key and period."""

    kind = models.CharField(max_length=30, db_index=True)
    key = models.CharField(max_length=120)
    text = models.CharField(max_length=500)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="alert_once")]

    def __str__(self) -> str:
        return self.text
