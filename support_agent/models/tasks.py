"""The agent as a background service: tasks of the staff API and the keys that may ask for them."""

from __future__ import annotations

import hashlib
import secrets

from django.db import models

from support_agent.models.turns import Turn
from tickets.models import Conversation, Customer, User
from tickets.models.base import Record


class ApiKey(Record):
    """A staff API key; only its SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def hash(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @staticmethod
    def new_key() -> str:
        return "sk-staff-" + secrets.token_urlsafe(32)


class Task(Record):
    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    class Purpose(models.TextChoices):
        API = "api", "Asked for by a program"
        SUMMARY = "summary", "A summary for staff"
        DRAFT = "draft", "A draft of a reply"
        ANSWER = "answer", "What the assistant would answer"
        ARTICLE = "article", "A draft of an article"

    purpose = models.CharField(max_length=8, choices=Purpose.choices, default=Purpose.API)
    about = models.ForeignKey(
        Conversation,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="assists",
        help_text="For a summary or a draft: of which conversation.",
    )
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    task = models.TextField()
    complexity = models.CharField(max_length=8, default="medium")
    budget_usd = models.DecimalField(max_digits=12, decimal_places=6)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED, db_index=True)
    turn = models.OneToOneField(Turn, null=True, blank=True, on_delete=models.SET_NULL, related_name="task")
    result = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.task[:60]
