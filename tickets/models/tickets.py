"""Tickets, and escalations: a conversation's way to a person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tickets.models.base import Record
from tickets.models.conversations import Conversation
from tickets.models.customers import Customer
from tickets.models.knowledge import Article
from tickets.models.staff import Team, User


class Ticket(Record):
    class Priority(models.TextChoices):
        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"
        URGENT = "urgent", "Urgent"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PENDING = "pending", "Waiting for the customer"
        SOLVED = "solved", "Solved"
        CLOSED = "closed", "Closed"

    number = models.CharField(max_length=16, unique=True)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    contact_email = models.EmailField(blank=True)
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    idempotency_key = models.CharField(max_length=120, null=True, blank=True, unique=True, editable=False)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    priority = models.CharField(max_length=8, choices=Priority.choices, default=Priority.MEDIUM, db_index=True)
    category = models.CharField(max_length=10, choices=Article.Category.choices, db_index=True)
    linked = models.ManyToManyField(
        Conversation, blank=True, related_name="linked_tickets", help_text="Other conversations about the same."
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN, db_index=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets")
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.number} {self.subject}"


class TicketComment(Record):
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField()
    is_public = models.BooleanField(default=False)

    class Meta:
        ordering = ["created_at"]


class EscalationReason(models.TextChoices):
    ASKED = "asked", "Asked for a person"
    MONEY = "money", "Money"
    LEGAL = "legal", "Legal"
    UNSURE = "unsure", "Unsure"
    TOOL_FAILING = "tool_failing", "A tool is failing"
    BUDGET = "budget", "Budget"
    LOOP = "loop", "Loop"
    SAFETY = "safety", "Safety"
    UNVERIFIED = "unverified", "Could not be verified"
    MODEL_FAILING = "model_failing", "The model is failing"
    PEOPLE_FIRST = "people_first", "People answer first"


NOT_OURS = [EscalationReason.ASKED, EscalationReason.PEOPLE_FIRST]
"""What is no failure of the assistant: the customer wanted a person, or staff let people answer."""


class Escalation(Record):
    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        CLAIMED = "claimed", "Claimed"
        HANDED_BACK = "handed_back", "Handed back"
        CLOSED = "closed", "Closed"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="escalations")
    reason = models.CharField(max_length=14, choices=EscalationReason.choices, db_index=True)
    summary = models.TextField(blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="escalations")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.WAITING, db_index=True)
    claimed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    assigned_to = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="assigned_escalations"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    passed_by = models.JSONField(
        default=list, blank=True, editable=False, help_text="Ids of staff who left it unanswered: not asked again."
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    first_reply_at = models.DateTimeField(null=True, blank=True, help_text="When a person first answered.")
    ended_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(help_text="When the first reply is due.")
    announced_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When its team was told.")
    chased_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When its people were reminded that it is nearly due."
    )
    breached_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it passed its deadline without a reply."
    )

    class Meta:
        ordering = ["due_at"]
        indexes = [models.Index(fields=["created_at"], name="escalation_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=["waiting", "claimed"]),
                name="escalation_one_open_per_conversation",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} ({self.get_status_display()})"
