"""What the workers still have to do."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tickets.models.base import Record


class Job(Record):
    """A job somebody asked for and that has not come to its end: Redis may forget it, this row does not."""

    function = models.CharField(max_length=200)
    arguments = models.JSONField(default=list, help_text="Ids; never a customer's words.")
    queue = models.CharField(max_length=20)
    name = models.CharField(max_length=120, blank=True, help_text="Of a job of which one at a time is enough.")
    due_at = models.DateTimeField(help_text="When the sweep takes it for lost and asks for it again.")
    is_running = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=100, blank=True, help_text="Its kind; never its words.")

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["name"], condition=~Q(name=""), name="job_of_a_name_once")]
        indexes = [models.Index(fields=["due_at"], name="job_due")]

    def __str__(self) -> str:
        return f"{self.function.rpartition('.')[2]}({', '.join(map(str, self.arguments))})"
