"""Turns taken again with another prompt, model or start, and the evaluation cases that came from life."""

from __future__ import annotations

from django.db import models

from support_agent.models.turns import Turn
from tickets.models import User
from tickets.models.base import Record


class Replay(Record):
    """One turn taken again from a step on, side effects simulated. `steps` has the shape of the export's steps."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="replays")
    from_step = models.PositiveIntegerField(default=0, help_text="Steps before it are taken over from the original.")
    model = models.CharField(max_length=60, blank=True, help_text="A size or an id, for every call; empty: as planned.")
    prompt_version = models.CharField(
        max_length=40, blank=True, help_text="A number, 'file', 'active', or empty for what spoke then."
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    outcome = models.CharField(max_length=10, blank=True, help_text="answered or escalated.")
    text = models.TextField(blank=True)
    sources = models.JSONField(default=list, blank=True)
    steps = models.JSONField(default=list, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=15, decimal_places=9, default=0)
    duration_ms = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    notes = models.JSONField(default=list, blank=True, help_text="Where it could not be as it was then, in sentences.")
    reservation = models.JSONField(null=True, blank=True, editable=False, help_text="What its call in flight reserved.")
    radius = models.ForeignKey(
        "support_agent.BlastRadius", null=True, blank=True, on_delete=models.CASCADE, related_name="replays"
    )
    verdict = models.CharField(
        max_length=10, blank=True, help_text="In a blast radius: same, worded, otherwise or drift."
    )
    is_baseline = models.BooleanField(
        default=False, help_text="In a blast radius: the turn as it goes today without the change."
    )
    asked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When a worker took it.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]


class SavedCase(Record):
    """An evaluation case made from a turn or a replay: the YAML that `run_evals saved` reads."""

    name = models.SlugField(max_length=80, unique=True)
    yaml = models.TextField()
    turn = models.ForeignKey(Turn, null=True, blank=True, on_delete=models.SET_NULL, related_name="cases")
    made_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
