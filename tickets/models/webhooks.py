"""Outgoing webhooks: which of our events a company's own programs are told of, and each event's way there."""

from __future__ import annotations

import base64
import secrets

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from tickets.models.base import Record
from tickets.models.conversations import Conversation
from tickets.models.tickets import Ticket
from tickets.outgoing import address_trouble
from tickets.sealing import SealedField

SECRET_PREFIX = "whsec_"  # noqa: S105 - the standard's own mark of a secret


class WebhookEvent(models.TextChoices):
    """What can be told, as `type` names it."""

    TICKET_CREATED = "ticket.created", "A ticket was opened"
    TICKET_UPDATED = "ticket.updated", "A ticket's status, priority, team or assignee changed"
    ESCALATION_OPENED = "escalation.opened", "A conversation waits for a person"
    ESCALATION_CLAIMED = "escalation.claimed", "A person took a conversation over"
    ESCALATION_UPDATED = "escalation.updated", "An escalation went back to the queue, to a colleague or another team"
    ESCALATION_ENDED = "escalation.ended", "A conversation was handed back or closed by a person"
    CONVERSATION_CLOSED = "conversation.closed", "A conversation was closed"


def new_secret() -> str:
    """As Standard Webhooks writes one: whsec_ and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


class Webhook(Record):
    """One receiver. `paused_until` is set while it fails: a dead one costs a try at a time, not one an event."""

    name = models.CharField(max_length=60, unique=True)
    url = models.CharField("address", max_length=500, help_text="An https address that takes POST.")
    secret = SealedField(
        max_length=300, default=new_secret, help_text="Signs each call. A new one holds from the next call on."
    )
    events = ArrayField(models.CharField(max_length=30, choices=WebhookEvent.choices), default=list)
    with_details = models.BooleanField(
        "names, addresses and texts too",
        default=False,
        help_text="Without, an event tells ids, numbers and states alone.",
    )
    is_active = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError, by field."""
        if trouble := address_trouble(self.url):
            raise ValidationError({"url": trouble})
        if not self.events:
            raise ValidationError({"events": "Choose at least one event."})
        try:
            key = base64.b64decode(self.secret.removeprefix(SECRET_PREFIX), validate=True)
        except ValueError:
            key = b""
        if not self.secret.startswith(SECRET_PREFIX) or len(key) < 24:
            hint = f"A secret is {SECRET_PREFIX} and at least 24 random bytes in base64: empty the field for a new one."
            raise ValidationError({"secret": hint})


class WebhookDelivery(Record):
    """One event on its way to one webhook. `event_id` is the same for all receivers and all tries: a receiver tells
    repeats by it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField(db_index=True)
    type = models.CharField(max_length=30)
    payload = models.JSONField()
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="webhook_deliveries"
    )
    ticket = models.ForeignKey(
        Ticket, null=True, blank=True, on_delete=models.CASCADE, related_name="webhook_deliveries"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status of the last answer.")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "webhook deliveries"
        constraints = [models.UniqueConstraint(fields=["webhook", "event_id"], name="webhook_delivery_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="webhook_delivery_due"),
            models.Index(fields=["created_at"], name="webhook_delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
