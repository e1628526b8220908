"""Conversations, their messages and the gap-free events every client follows."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from tickets.ids import new_reference
from tickets.models.base import Record
from tickets.models.customers import Customer
from tickets.models.staff import Team, User

ERASED = "[erased]"
"""What stands where the words of somebody were who was erased."""


class Conversation(Record):
    class Status(models.TextChoices):
        """Who may speak: the assistant, the assistant while a person is awaited, staff only, nobody."""

        AI = "ai", "Assistant"
        WAITING = "waiting", "Waiting"
        HUMAN = "human", "With staff"
        CLOSED = "closed", "Closed"

    class Identity(models.TextChoices):
        """How we know who the customer is; without one, `customer` is empty."""

        NONE = "", "Unverified"
        SESSION = "session", "Signed in"
        JWT = "jwt", "Signed by the host site"
        CODE = "code", "E-mailed code"

    class Channel(models.TextChoices):
        CHAT = "chat", "Chat"
        API = "api", "API"
        WIDGET = "widget", "Widget"
        TASK = "task", "Background task"

    reference = models.CharField(max_length=8, unique=True, default=new_reference, editable=False)
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="conversations"
    )
    identity = models.CharField(max_length=8, choices=Identity.choices, default=Identity.NONE, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    contact_email = models.EmailField(blank=True, help_text="Where a person may answer; proves nothing.")
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.CHAT)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.AI, db_index=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations")
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="conversations")
    token_hash = models.CharField(max_length=64, blank=True, editable=False, help_text="SHA-256 of the bearer token.")
    address_hash = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    locale = models.CharField(max_length=12, default="en")
    topic = models.CharField(max_length=80, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    last_seq = models.PositiveBigIntegerField(default=0, editable=False)
    customer_read_seq = models.PositiveBigIntegerField(default=0, editable=False)
    customer_seen_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When one of the customer's sockets was open last."
    )
    mailed_seq = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Replies of staff up to here were e-mailed."
    )
    snoozed_until = models.DateTimeField(null=True, blank=True, db_index=True)
    awaits_customer = models.BooleanField(
        default=False, help_text="Staff wait for the customer; ends with their next word."
    )
    last_message_at = models.DateTimeField(default=timezone.now, db_index=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    continued_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="continued_in"
    )

    class Meta:
        ordering = ["-last_message_at"]
        indexes = [
            models.Index(fields=["status", "-last_message_at"], name="conversation_inbox"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="conversation_ended"),
        ]

    def __str__(self) -> str:
        return self.reference


class Message(Record):
    class Role(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        ASSISTANT = "assistant", "Assistant"
        STAFF = "staff", "Staff"
        SYSTEM = "system", "System"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    role = models.CharField(max_length=10, choices=Role.choices)
    author = models.CharField(max_length=120, blank=True)
    staff = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    html = models.TextField(blank=True, help_text="Rendered once, sanitised.")
    client_message_id = models.UUIDField(null=True, blank=True)
    turn_id = models.UUIDField(null=True, blank=True, db_index=True)
    sources = models.JSONField(default=list, blank=True)
    attachments = models.JSONField(default=list, blank=True)
    cards = models.JSONField(
        default=list, db_default=[], blank=True, help_text="What was found, as it stood when this was said."
    )
    seq = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["conversation", "seq"]
        indexes = [
            models.Index(fields=["conversation", "seq"], name="message_in_order"),
            models.Index(fields=["created_at"], condition=Q(role="staff"), name="message_by_staff"),
            GinIndex(fields=["text"], opclasses=["gin_trgm_ops"], name="message_words"),  # staff look for numbers in it
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "client_message_id"],
                condition=Q(client_message_id__isnull=False),
                name="message_once_per_client_id",
            ),
            models.UniqueConstraint(
                fields=["turn_id"],
                condition=Q(role="assistant", turn_id__isnull=False),
                name="message_one_answer_per_turn",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class Event(models.Model):
    """What every client of a conversation sees, in order; `message` carries the text, so that erasing it is enough."""

    id = models.BigAutoField(primary_key=True)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveBigIntegerField()
    type = models.CharField(max_length=16)
    payload = models.JSONField(default=dict)
    message = models.ForeignKey(Message, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["conversation", "seq"]
        constraints = [models.UniqueConstraint(fields=["conversation", "seq"], name="event_seq_unique")]

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"


class Verification(Record):
    """One e-mailed code. `email` is what the visitor typed; `customer` is set only when it is known."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        VERIFIED = "verified", "Verified"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="verifications")
    email = models.EmailField()
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    code_hash = models.CharField(max_length=128, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["email", "created_at"], name="verification_by_address")]


class Promise(Record):
    """Something we said we would do by a time."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        KEPT = "kept", "Kept"
        MISSED = "missed", "Missed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Kind(models.TextChoices):
        REPLY = "reply", "A person answers"
        OTHER = "other", "Something else"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="promises")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.OTHER)
    about = models.CharField(
        max_length=60, blank=True, editable=False, help_text="What it is about: one stands open for each thing."
    )
    text = models.CharField(max_length=300)
    due_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    made_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="promises",
        help_text="Empty: the assistant.",
    )
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it was kept, missed or withdrawn.")
    chased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["due_at"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="open"), name="promise_open_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "about"], condition=Q(state="open") & ~Q(about=""), name="promise_open_once"
            )
        ]
