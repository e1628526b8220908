"""How long data is kept, and who asked for theirs to be erased."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models

from tickets.models.base import Record


class Retention(Record):
    """How long one kind of data is kept, where staff changed it; without a row its default holds."""

    class Kind(models.TextChoices):
        CONVERSATIONS = "conversations", "Closed conversations"
        TICKETS = "tickets", "Closed tickets"
        TRACES = "traces", "What steps and tools were given and answered"
        TASKS = "tasks", "Background tasks"
        ATTACHMENTS = "attachments", "Images sent with messages"
        UNSENT = "unsent", "Images no message took"
        MAILS = "mails", "Mails the demo sent"
        CODES = "codes", "E-mailed codes"
        LINKS = "links", "Links from mails into a thread"
        SESSIONS = "sessions", "Browser sessions that are over"
        ALERTS = "alerts", "Alerts that are over"
        ADDRESSES = "addresses", "Daily totals of addresses on the net"
        AUDIT_VALUES = "audit_values", "Values in the audit"
        ARTICLE_FEEDBACK = "article_feedback", "What readers thought of articles"
        EVALUATIONS = "evaluations", "Evaluation runs that are over"
        WEBHOOKS = "webhooks", "Events sent to webhooks"

    kind = models.CharField(max_length=16, unique=True, choices=Kind.choices)
    days = models.PositiveIntegerField(validators=[MinValueValidator(1)], help_text="Counted from the end of its use.")

    class Meta:
        ordering = ["kind"]
        verbose_name_plural = "retention"
        constraints = [models.CheckConstraint(condition=models.Q(days__gte=1), name="retention_a_day_at_least")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.days} days"


class ErasureRequest(Record):
    """One erasure. The address is kept as a keyed hash alone: enough to find it in a restored backup, and no more."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"

    email_hash = models.CharField(max_length=64, db_index=True, editable=False)
    pseudonym = models.CharField(max_length=16, editable=False, help_text="What their records are called now.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    counts = models.JSONField(default=dict, blank=True, help_text="Rows by table.")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.pseudonym} ({self.get_state_display()})"
