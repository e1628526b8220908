"""What staff and the system breakers may turn: limits by surface, and switches."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
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


class SystemLimit(Record):
    """The whole system's hard limit, in USD, where staff changed it; without a row agent.config's holds."""

    class Period(models.TextChoices):
        HOUR = "hour", "An hour"

    period = models.CharField(max_length=4, unique=True, choices=Period.choices, default=Period.HOUR)
    usd = models.DecimalField("USD", max_digits=10, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))])

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(usd__gt=0), name="system_limit_above_0")]

    def __str__(self) -> str:
        return f"{self.get_period_display()} of the whole system"


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
