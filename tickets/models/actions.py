"""Actions: mutations the assistant proposed and the customer's own click executes, once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform

from tickets.models.base import Record
from tickets.models.conversations import Conversation
from tickets.models.customers import Customer
from tickets.models.staff import User


class Action(Record):
    """The token a click needs is made when rendering for the owner and never stored (see services.actions)."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        CONFIRMED = "confirmed", "Confirmed"
        DECLINED = "declined", "Declined"
        EXPIRED = "expired", "Expired"
        AWAITING_STAFF = "awaiting_staff", "Awaiting staff"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNDONE = "undone", "Undone"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="actions")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="actions")
    turn_id = models.UUIDField(null=True, blank=True, db_index=True)
    idempotency_key = models.CharField(max_length=120, unique=True)
    tool = models.CharField(max_length=64)
    definition = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Digest of what the tool was when this was offered, where another system defines it.",
    )
    arguments = models.JSONField()
    summary = models.CharField(max_length=300)
    preview = models.JSONField(default=dict)
    state = models.CharField(max_length=14, choices=State.choices, default=State.PROPOSED, db_index=True)
    expires_at = models.DateTimeField(db_index=True)
    undo_until = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    receipt = models.JSONField(default=dict, blank=True)
    undo_data = models.JSONField(default=dict, blank=True, editable=False)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                KeyTransform("return_number", "receipt"),
                name="action_of_a_return",
                condition=Q(tool="request_return"),
            )
        ]

    def __str__(self) -> str:
        return self.summary
