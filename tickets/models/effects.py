"""Effects: changes in another system that a click asked for, each written down before it is sent."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tickets.models.actions import Action
from tickets.models.base import Record


class Effect(Record):
    """`key` goes with every try, so that the other system does it once. `next_at` is when somebody has to look again:
    to send it, to ask what became of it, or because whoever sent it has died."""

    class Kind(models.TextChoices):
        PERFORM = "perform", "Perform"
        UNDO = "undo", "Undo"

    class State(models.TextChoices):
        INTENDED = "intended", "Intended"
        SENDING = "sending", "Being sent"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"
        UNKNOWN = "unknown", "Unknown"
        GIVEN_UP = "given_up", "With a person"

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="effects")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PERFORM)
    key = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.INTENDED, db_index=True)
    attempts = models.PositiveIntegerField(default=0, help_text="How often it was sent.")
    questions = models.PositiveIntegerField(default=0, help_text="How often it was asked what became of it.")
    approved_by = models.CharField(max_length=150, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    next_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(help_text="When it is given to a person, if nobody knows by then.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When it was last sent.")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["action", "kind"], name="effect_once_per_action_and_kind")]
        indexes = [
            models.Index(
                fields=["next_at"],
                name="effect_due",
                condition=Q(state__in=["intended", "sending", "unknown"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.action_id} ({self.get_state_display()})"
