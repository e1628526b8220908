"""MCP servers that staff entered, and which of their tools may be used how."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from tickets.models import User
from tickets.models.base import Record

SLUG = RegexValidator(r"^[a-z][a-z0-9_]{1,23}$", "Two to 24 lower case letters, digits and _, beginning with a letter.")


class McpServer(Record):
    """A program we start (stdio) or an address we ask (http). Its environment or headers are kept sealed."""

    class Transport(models.TextChoices):
        STDIO = "stdio", "A program on this machine (stdio)"
        HTTP = "http", "An address (streamable HTTP)"

    name = models.CharField(
        max_length=24,
        unique=True,
        validators=[SLUG],
        help_text="Part of its tools' names, as in mcp_shop_stock_level. It stays as it is.",
    )
    transport = models.CharField(max_length=5, choices=Transport.choices, default=Transport.HTTP)
    command = models.CharField(
        max_length=300, blank=True, help_text="Of stdio: an absolute path, or a name that MCP_COMMANDS lists."
    )
    arguments = models.JSONField(default=list, blank=True, help_text='Of stdio: a list of texts, ["--port", "1"].')
    url = models.CharField(
        max_length=500, blank=True, help_text="Of http: its https address. Addresses of the own network: MCP_PRIVATE."
    )
    sealed = models.TextField(blank=True, editable=False, help_text="Environment or headers, encrypted.")
    secret_names = models.JSONField(default=list, blank=True, editable=False, help_text="What `sealed` holds.")
    changed_at = models.DateTimeField(auto_now=True)
    is_active = models.BooleanField(default=True, help_text="Off: none of its tools is offered or called.")
    listed_at = models.DateTimeField(null=True, blank=True, editable=False)
    trouble = models.CharField(max_length=300, blank=True, editable=False, help_text="Why it could not be asked last.")

    class Meta:
        ordering = ["name"]
        verbose_name = "MCP server"

    def __str__(self) -> str:
        return self.name


class McpToolQuerySet(models.QuerySet["McpTool"]):
    def offered(self) -> McpToolQuerySet:
        return self.filter(state=McpTool.State.ALLOWED, server__is_active=True)


def _seconds(default: int, most: int) -> Any:
    limits = [MinValueValidator(1), MaxValueValidator(most)]
    return models.PositiveIntegerField(default=default, validators=limits)


class McpTool(Record):
    """One tool as its server lists it (`definition`), and as staff allowed it (`pinned` and all below).

    Only what is pinned reaches the model; a definition that differs from it is not offered.
    """

    class State(models.TextChoices):
        NEW = "new", "New: not offered"
        ALLOWED = "allowed", "Allowed"
        CHANGED = "changed", "Changed: not offered"
        GONE = "gone", "Gone"
        REFUSED = "refused", "Refused"

    class Category(models.TextChoices):
        LOOKUP = "lookup", "Looks something up: runs at once"
        MUTATION = "mutation", "Changes something: the customer confirms it"

    class Source(models.TextChoices):
        MODEL = "model", "The assistant fills it"
        EMAIL = "email", "Filled by us: the verified customer's e-mail"
        REFERENCE = "reference", "Filled by us: the verified customer's reference"

    server = models.ForeignKey(McpServer, on_delete=models.CASCADE, related_name="tools")
    tool = models.CharField(max_length=128, editable=False, help_text="As its server calls it.")
    name = models.CharField(max_length=64, unique=True, editable=False, help_text="As the assistant calls it.")
    title = models.CharField(max_length=120, blank=True, editable=False)
    definition = models.JSONField(default=dict, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    pinned = models.JSONField(default=dict, blank=True, editable=False)
    pinned_digest = models.CharField(max_length=64, blank=True, editable=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW, editable=False, db_index=True)
    description = models.TextField(
        max_length=1000,
        blank=True,
        help_text="What the assistant reads: when to use it, and when not. Yours, never the server's as it changes.",
    )
    purpose = models.CharField(
        max_length=200, blank=True, help_text="One line for choosing it. Empty: the description's first sentence."
    )
    label = models.CharField(max_length=80, default="Looking that up …", help_text="What customers read while it runs.")
    category = models.CharField(max_length=8, choices=Category.choices, default=Category.MUTATION)
    needs_confirmation = models.BooleanField(
        default=False, help_text="The customer confirms each call, also when it only looks something up."
    )
    unverified = models.BooleanField(
        "also for unverified customers", default=False, help_text="Only what shows nothing of anybody."
    )
    surfaces = models.JSONField(default=list, blank=True, help_text="Where it is offered; none chosen: everywhere.")
    subjects = models.JSONField(default=list, blank=True, help_text="What it is about; none chosen: anything.")
    sources = models.JSONField(default=dict, blank=True, editable=False, help_text="Who fills which argument.")
    timeout_s = _seconds(8, 30)
    max_result_chars = models.PositiveIntegerField(
        default=6000, validators=[MinValueValidator(500), MaxValueValidator(12_000)]
    )
    per_conversation = models.PositiveIntegerField(default=10, validators=[MinValueValidator(1)])
    per_day = models.PositiveIntegerField(default=1000, validators=[MinValueValidator(1)])
    changed_at = models.DateTimeField(auto_now=True)
    allowed_by = models.ForeignKey(User, null=True, blank=True, editable=False, on_delete=models.SET_NULL)

    objects = McpToolQuerySet.as_manager()

    class Meta:
        ordering = ["server__name", "tool"]
        verbose_name = "MCP tool"
        constraints = [models.UniqueConstraint(fields=["server", "tool"], name="mcp_tool_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def proposes(self) -> bool:
        """Whether a call only offers what the customer's click then does."""
        return self.category == self.Category.MUTATION or self.needs_confirmation
