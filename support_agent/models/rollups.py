"""Sums by the hour and by the day, so that dashboards need not read a million steps. Made anew from the rows by a job.

Never edited. How long things took is kept as tallies by bucket (the bounds stand in runtime.buckets), so that
percentiles of any span can be read off their sums. Days are UTC, and are the sums of their hours.
"""

from __future__ import annotations

from django.db import models

STEP_KEY = ("surface", "kind", "model", "tool", "status", "prompt_version")
TURN_KEY = ("surface", "path", "topic", "state", "prompt_version")
TALLY_KEY = ("measure", "name", "bucket")


class _Spent(models.Model):
    """What every sum has: tokens of each kind, and cost."""

    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cache_read_tokens = models.PositiveBigIntegerField(default=0)
    cache_write_tokens = models.PositiveBigIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=9, default=0)

    class Meta:
        abstract = True


class _Steps(_Spent):
    """All steps taken within one stretch of time with the same key."""

    id = models.BigAutoField(primary_key=True)
    surface = models.CharField(max_length=12)
    kind = models.CharField(max_length=12)
    model = models.CharField(max_length=60, blank=True)
    tool = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=24)
    prompt_version = models.CharField(max_length=40, blank=True)
    steps = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveBigIntegerField(default=0)

    class Meta:
        abstract = True


class StepHour(_Steps):
    hour = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hour", *STEP_KEY], name="step_hour_key")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.kind} {self.tool or self.model}".rstrip()


class StepDay(_Steps):
    day = models.DateTimeField(help_text="Its midnight, UTC.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", *STEP_KEY], name="step_day_key")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.kind} {self.tool or self.model}".rstrip()


class _Turns(_Spent):
    """All turns that began within one stretch of time with the same key."""

    id = models.BigAutoField(primary_key=True)
    surface = models.CharField(max_length=12)
    path = models.CharField(max_length=10, blank=True)
    topic = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=10)
    prompt_version = models.CharField(max_length=40, blank=True)
    turns = models.PositiveIntegerField(default=0)
    conversations = models.PositiveIntegerField(
        default=0, help_text="Of these turns, the first of their conversation; background tasks are none."
    )
    steps = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class TurnHour(_Turns):
    hour = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hour", *TURN_KEY], name="turn_hour_key")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.surface} {self.state}"


class TurnDay(_Turns):
    day = models.DateTimeField(help_text="Its midnight, UTC.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", *TURN_KEY], name="turn_day_key")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.surface} {self.state}"


class Measure(models.TextChoices):
    """What a tally counts. `bucket` is of time (runtime.buckets) for the first five."""

    TURN = "turn", "Turns by time to the finished answer"
    FIRST_TEXT = "first_text", "Turns by time to the first visible text"
    MODEL = "model", "Model calls by time; name: model"
    FIRST_TOKEN = "first_token", "Model calls by time to the first token; name: model"
    TOOL = "tool", "Tool calls by time; name: tool"
    STEPS = "steps", "Turns by number of steps (bucket)"
    ASKED = "asked", "Model calls shared out among the tools they asked for; name: tool"
    CUSTOMER = "customer", "Turns by customer; name: the customer's id"
    WORDS = "words", "Accepted answers by number of words (bucket)"
    CLOCK = "clock", "Turns by hour of the day, UTC (bucket)"
    CLAIM = "claim", "Claims of answers, 1 backed, 0 not (bucket); name: surface"


class _Tallies(models.Model):
    """How many of a measure lay in one bucket within one stretch of time, and what they cost."""

    id = models.BigAutoField(primary_key=True)
    measure = models.CharField(max_length=12, choices=Measure.choices)
    name = models.CharField(max_length=64, blank=True)
    bucket = models.PositiveSmallIntegerField(default=0)
    number = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=9, default=0)

    class Meta:
        abstract = True


class TallyHour(_Tallies):
    hour = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hour", *TALLY_KEY], name="tally_hour_key")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.measure} {self.name} {self.bucket}"


class TallyDay(_Tallies):
    day = models.DateTimeField(help_text="Its midnight, UTC.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", *TALLY_KEY], name="tally_day_key")]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.measure} {self.name} {self.bucket}"


class RollupMark(models.Model):
    """One row per rolled-up table: every full hour before `upto` is summed."""

    name = models.CharField(primary_key=True, max_length=20)
    upto = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} up to {self.upto:%Y-%m-%d %H}h"
