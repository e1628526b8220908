"""Turns (one customer message to one answer), their steps and tool calls: the truth a trace shows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform

from support_agent.agent.types import StepKind, Surface
from tickets.models import Action, Conversation
from tickets.models.base import Record


class Turn(Record):
    """Owned by one runner at a time: `owner` and `attempt` fence every write, `lease_until` covers partitions."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        ANSWERED = "answered", "Answered"
        ESCALATED = "escalated", "Escalated"
        FAILED = "failed", "Failed"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    surface = models.CharField(max_length=12, choices=[(s.value, s.value.replace("_", " ")) for s in Surface])
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    stop_requested = models.CharField(max_length=12, blank=True)
    checkpoint = models.JSONField(null=True, blank=True, help_text="The engine's state while the turn runs.")
    path = models.CharField(max_length=10, blank=True)
    topic = models.CharField(max_length=80, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    doubtful = models.BooleanField(default=False, help_text="Not sure enough; the next such turn goes to a person.")
    cautious = models.BooleanField(default=False, help_text="The message looked like an attack.")
    prompt_version = models.CharField(max_length=40, blank=True)
    tools_offered = models.JSONField(default=list, blank=True)
    message_id = models.UUIDField(null=True, blank=True, help_text="The message begun last, shown or final.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    first_text_at = models.DateTimeField(null=True, blank=True)
    step_count = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=15, decimal_places=9, default=0)
    cost_estimated = models.BooleanField(default=False)
    reservation = models.JSONField(null=True, blank=True, help_text="What the call in flight has reserved, and where.")
    budget_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["conversation", "created_at"], name="turn_in_order"),
            models.Index(fields=["created_at"], name="turn_by_time"),
            models.Index(fields=["created_at"], condition=Q(doubtful=True), name="turn_doubtful"),
            models.Index(fields=["prompt_version", "created_at"], name="turn_by_prompt"),
            models.Index(fields=["created_at"], condition=Q(state="queued"), name="turn_queued"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="turn_running"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(state="queued"), name="turn_one_queued_per_conversation"
            ),
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(state="running"), name="turn_one_running_per_conversation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} turn of {self.conversation_id}"


class Step(Record):
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="steps")
    index = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=12, choices=[(k.value, k.value.replace("_", " ")) for k in StepKind])
    model = models.CharField(max_length=60, blank=True)
    tool = models.CharField(max_length=64, blank=True)
    input = models.JSONField(default=dict)
    output = models.JSONField(default=dict)
    status = models.CharField(max_length=24, default="ok")
    error = models.TextField(blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=15, decimal_places=9, default=0)
    cost_estimated = models.BooleanField(default=False)
    duration_ms = models.PositiveIntegerField(default=0)
    ttft_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["turn", "attempt", "index"]
        # With the attempt: a dead runner's last call may still be written down after another has gone on.
        constraints = [models.UniqueConstraint(fields=["turn", "attempt", "index"], name="step_once_per_attempt")]
        indexes = [
            # Lists and questions over time are answered from this index alone: the rows hold whole prompts and results.
            models.Index(
                fields=["created_at"],
                include=[
                    "id", "turn", "kind", "status", "tool", "model", "duration_ms", "ttft_ms", "cost_usd",
                    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
                ],
                name="step_facts",
            ),
            models.Index(
                fields=["created_at"],
                include=["id", "turn", "kind", "status", "tool"],
                condition=Q(status__in=["failed", "error", "cut", "degraded", "invalid_arguments"]),
                name="step_troubled",
            ),
            models.Index(  # the critic's verdicts of a span, without the steps between them
                fields=["created_at"], condition=Q(kind="critic"), include=["turn", "status"], name="step_verdicts"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.index} {self.kind} {self.tool or self.model}".rstrip()

    @property
    def prompt_tokens(self) -> int:
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def cache_share(self) -> float | None:
        """The part of a call's prompt that was read from the cache."""
        return self.cache_read_tokens / self.prompt_tokens if self.prompt_tokens else None


class ToolCall(Record):
    """One call of a tool. Its key is unique: a resumed turn finds the row and does nothing a second time."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="tool_calls")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="tool_calls")
    tool = models.CharField(max_length=64, db_index=True)
    tool_use_id = models.CharField(max_length=80)
    arguments = models.JSONField()
    idempotency_key = models.CharField(max_length=120, unique=True)
    status = models.CharField(max_length=24)
    result = models.JSONField(default=dict)
    action = models.ForeignKey(Action, null=True, blank=True, on_delete=models.SET_NULL, related_name="tool_calls")
    duration_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index(fields=["created_at"], name="tool_call_by_time"),
            models.Index(KeyTransform("order_number", "arguments"), name="tool_call_order"),
            models.Index(
                fields=["tool", "created_at"], condition=Q(status="not_found"), name="tool_call_nothing_found"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.status}"
