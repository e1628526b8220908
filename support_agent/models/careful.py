"""A careful start: who answers on a surface, and what became of the drafts the assistant wrote for staff."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from support_agent.agent.types import Surface
from support_agent.models.tasks import Task
from tickets.models import Message, User
from tickets.models.base import Record

SURFACES = [(s.value, s.value.replace("_", " ")) for s in Surface if s is not Surface.BACKGROUND]


class SurfaceMode(Record):
    """Who answers on one surface, where staff changed it; without a row the assistant answers everybody."""

    class Mode(models.TextChoices):
        OFF = "off", "Off: people answer"
        DRAFTS = "drafts", "Drafts: people answer, the assistant drafts for them"
        LIVE = "live", "Live: the assistant answers"

    class Rest(models.TextChoices):
        DRAFTS = "drafts", "drafts"
        OFF = "off", "off"

    surface = models.CharField(max_length=12, unique=True, choices=SURFACES)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.LIVE)
    percent = models.PositiveSmallIntegerField(
        default=100, validators=[MaxValueValidator(100)], help_text="Of live: the share of conversations, 0 to 100."
    )
    rest = models.CharField(
        max_length=8, choices=Rest.choices, default=Rest.DRAFTS, help_text="Of live: what the other conversations get."
    )
    reason = models.CharField(max_length=300)
    changed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["surface"]
        constraints = [models.CheckConstraint(condition=Q(percent__lte=100), name="surface_mode_percent")]

    def __str__(self) -> str:
        return f"{self.get_surface_display()}: {self.mode}"


class Draft(Record):
    """What became of one draft. Its words are the task's, what was sent is the message's: here are only figures."""

    class Outcome(models.TextChoices):
        OPEN = "open", "Open"
        SENT = "sent", "Sent unchanged"
        CHANGED = "changed", "Changed, then sent"
        DISCARDED = "discarded", "Discarded"
        IGNORED = "ignored", "Ignored: staff wrote their own"
        OVERTAKEN = "overtaken", "Overtaken: the customer wrote on, or it was closed"
        NONE = "none", "No draft"

    class Why(models.TextChoices):
        FACTS = "facts", "Wrong facts"
        TONE = "tone", "Wrong tone"
        NOT_NEEDED = "not_needed", "Not needed"
        OTHER = "other", "Other"

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="draft")
    surface = models.CharField(max_length=12, choices=SURFACES)
    language = models.CharField(max_length=8)
    upto_seq = models.PositiveIntegerField(help_text="It answers what the customer wrote up to here.")
    model = models.CharField(max_length=60, blank=True, help_text="The model that wrote it.")
    subject = models.CharField(max_length=12, blank=True, help_text="Of its plan; empty when it was not planned.")
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    why = models.CharField(max_length=10, choices=Why.choices, blank=True, help_text="Why it was discarded.")
    no_draft = models.CharField(max_length=14, blank=True, help_text="A reason to escalate, or 'failed'.")
    sent = models.ForeignKey(Message, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    similarity = models.FloatField(null=True, blank=True, help_text="Of what was sent to the draft, 0 to 1.")
    words_changed = models.PositiveIntegerField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"], name="draft_by_time")]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}, {self.get_surface_display()}"
