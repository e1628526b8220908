"""Versions of the prompts that override the files; at most one of a name is active, and none is ever changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tickets.models import Conversation, User
from tickets.models.base import Record


class PromptVersion(Record):
    name = models.CharField(max_length=20, choices=[(n, n) for n in ("assistant", "planner", "memory")])
    number = models.PositiveIntegerField()
    text = models.TextField()
    note = models.CharField(max_length=300, blank=True, help_text="What changed and why.")
    is_active = models.BooleanField(default=False, editable=False)
    made_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="prompt_version_number"),
            models.UniqueConstraint(fields=["name"], condition=Q(is_active=True), name="prompt_one_active"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class ConversationMemory(models.Model):
    """What a long conversation was reduced to: everything up to `upto_seq`, written down once."""

    conversation = models.OneToOneField(Conversation, primary_key=True, on_delete=models.CASCADE, related_name="memory")
    summary = models.TextField()
    upto_seq = models.PositiveBigIntegerField()
    facts = models.JSONField(default=list)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "conversation memories"

    def __str__(self) -> str:
        return f"up to {self.upto_seq}"
