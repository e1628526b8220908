"""What customers think of us: a survey per conversation, a thumb per answer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tickets.models.base import Record
from tickets.models.conversations import Conversation, Message


class Survey(Record):
    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        ANSWERED = "answered", "Answered"
        DISMISSED = "dismissed", "Dismissed"

    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="survey")
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    comment = models.CharField(max_length=1000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["answered_at"], condition=Q(rating__isnull=False), name="survey_by_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5), name="survey_rating_1_to_5"
            )
        ]


class Feedback(Record):
    class Cause(models.TextChoices):
        """Why an answer did not help."""

        NONE = "", "Not said"
        WRONG = "wrong", "Wrong or out of date"
        OFF_TOPIC = "off_topic", "Not what was asked"
        UNCLEAR = "unclear", "Hard to understand"
        NO_HELP = "no_help", "Right, but no help"

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="feedback")
    helpful = models.BooleanField()
    cause = models.CharField(max_length=10, choices=Cause.choices, default=Cause.NONE, db_default="", blank=True)
    reason = models.CharField(max_length=500, blank=True)
