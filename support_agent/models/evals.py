"""Evaluation: runs and their results, answers that staff judged, and what a change would alter in past turns."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from support_agent.models.prompts import PromptVersion
from support_agent.models.turns import Turn
from tickets.models import Article, User
from tickets.models.base import Record


class RunState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"  # it could not be run to its end; that cases failed is `is_passed`


class Work(Record):
    """What somebody or the clock asks for and a worker does."""

    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.QUEUED)
    error = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class EvalRun(Work):
    """One run of evaluation cases. `prompt` is the version on trial, `prompts` names what spoke (None: the files)."""

    class Kind(models.TextChoices):
        COMMAND = "command", "By command"
        PAGE = "page", "By staff"
        GATE = "gate", "Release gate"
        NIGHTLY = "nightly", "Nightly"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.COMMAND)
    suite = models.CharField(max_length=80, blank=True, help_text="A theme or a case; empty for all.")
    model = models.CharField(max_length=60, default="demo", help_text="'demo', or a model of the API.")
    repeat = models.PositiveSmallIntegerField(default=1, help_text="How often each case runs (pass^k).")
    prompt = models.ForeignKey(PromptVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs")
    prompts = models.JSONField(default=dict, blank=True, help_text="The prompt versions that spoke, by name.")
    code = models.CharField(max_length=64, blank=True, help_text="The version of the source that ran.")
    budget_usd = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    thresholds = models.JSONField(default=dict, blank=True, help_text="What it had to reach, as shares from 0 to 1.")
    is_passed = models.BooleanField(null=True, blank=True, help_text="Whether it reached its thresholds.")
    total = models.PositiveIntegerField(default=0, help_text="How many cases it has.")
    summary = models.JSONField(default=dict, blank=True, help_text="Counts and shares with their intervals.")
    cost_usd = models.DecimalField(max_digits=15, decimal_places=9, default=0)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["kind", "-created_at"], name="eval_run_by_kind")]


class EvalResult(Record):
    """How one case went in one run; `held` of its `runs` passed, and it passed when all did."""

    class Status(models.TextChoices):
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Skipped"

    run = models.ForeignKey(EvalRun, on_delete=models.CASCADE, related_name="results")
    case = models.CharField(max_length=80)
    suite = models.CharField(max_length=80)
    adversarial = models.CharField(max_length=60, blank=True)
    fingerprint = models.CharField(max_length=16, blank=True, help_text="Of the text of the case.")
    written = models.TextField(blank=True, help_text="The case as YAML.")
    status = models.CharField(max_length=8, choices=Status.choices)
    runs = models.PositiveSmallIntegerField(default=1)
    held = models.PositiveSmallIntegerField(default=0)
    failures = models.JSONField(default=list, blank=True, help_text="What was wrong, one sentence each.")
    outcome = models.CharField(max_length=20, blank=True)
    tools = models.JSONField(default=list, blank=True, help_text="The tools called, in order.")
    said = models.JSONField(default=list, blank=True, help_text="The thread: [{'who': 'customer', 'text': …}, …].")
    cost_usd = models.DecimalField(max_digits=15, decimal_places=9, default=0)
    steps = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)

    class Meta:
        ordering = ["suite", "case"]
        constraints = [models.UniqueConstraint(fields=["run", "case"], name="eval_result_once")]
        indexes = [models.Index(fields=["case", "-created_at"], name="eval_result_by_case")]


class SpotCheck(Record):
    """An answer drawn for staff to judge; closed when it has the `wanted` labels."""

    class Drawn(models.TextChoices):
        RANDOM = "random", "At random"
        DOUBTFUL = "doubtful", "Low confidence"
        ESCALATED = "escalated", "Handed over"
        DISLIKED = "disliked", "Thumb down"

    turn = models.OneToOneField(Turn, on_delete=models.CASCADE, related_name="spot_check")
    drawn = models.CharField(max_length=10, choices=Drawn.choices, default=Drawn.RANDOM)
    chance = models.FloatField(default=1, help_text="The chance its turn had to be drawn: it stands for 1 / chance.")
    wanted = models.PositiveSmallIntegerField(default=1)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["created_at"], condition=Q(closed_at__isnull=True), name="spot_check_open")]

    def __str__(self) -> str:
        return f"{self.get_drawn_display()}, {self.created_at:%Y-%m-%d}"


class SpotLabel(Record):
    """What one member of staff says of it, blind: first whether a person was needed, before they see what was done."""

    class Accuracy(models.TextChoices):
        ACCURATE = "accurate", "Right"
        INACCURATE = "inaccurate", "Wrong"
        UNCLEAR = "unclear", "Cannot tell"

    spot_check = models.ForeignKey(SpotCheck, on_delete=models.CASCADE, related_name="labels")
    staff = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    needs_person = models.BooleanField()
    accuracy = models.CharField(max_length=10, choices=Accuracy.choices, blank=True, help_text="Empty: not yet judged.")
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["spot_check", "staff"], name="spot_label_once")]


class BlastRadius(Work):
    """Past turns taken again under a change that is not live yet: which would be answered otherwise."""

    class Kind(models.TextChoices):
        ARTICLE = "article", "An article"
        PROMPT = "prompt", "A prompt"
        TOOL = "tool", "A tool"

    class ToolAs(models.TextChoices):
        OFF = "off", "Disabled, as the switch does"
        NOW = "now", "As its code is here"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    article = models.ForeignKey(Article, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    draft = models.JSONField(default=dict, blank=True, help_text="The article's fields as they would be.")
    prompt = models.ForeignKey(PromptVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    tool = models.CharField(max_length=40, blank=True)
    tool_as = models.CharField(max_length=3, choices=ToolAs.choices, default=ToolAs.OFF)
    days = models.PositiveSmallIntegerField(default=30, help_text="How far back turns are looked for.")
    most = models.PositiveSmallIntegerField(default=50, help_text="How many turns are taken again.")
    touched = models.PositiveIntegerField(default=0, help_text="How many past turns the change touches.")

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "blast radii"
