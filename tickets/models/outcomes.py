"""How conversations came out, and the way back into one from an e-mail."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tickets.models.base import Record
from tickets.models.conversations import Conversation
from tickets.models.staff import User


class Resolution(Record):
    """A conversation that was resolved: confirmed by its customer, or assumed from silence.

    `staff` is who had it last; without one the assistant resolved it alone. Reopened within 72 hours it is revoked.
    """

    class Kind(models.TextChoices):
        CONFIRMED = "confirmed", "Confirmed"
        ASSUMED = "assumed", "Assumed"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="resolutions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    staff = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(revoked_at__isnull=True), name="resolution_one_standing"
            )
        ]


class ThreadLink(Record):
    """A single-use link from an e-mail into a thread; only the SHA-256 of its token is kept."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="thread_links")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    email = models.EmailField(help_text="Where it was sent.")
    upto_seq = models.PositiveBigIntegerField(help_text="The last reply the e-mail told of.")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When its mail was last tried.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When its mail went out.")
    asked_for = models.BooleanField(default=False, help_text="Somebody waits for it, whatever there is to tell.")
    refusals = models.PositiveSmallIntegerField(default=0, editable=False, help_text="How often its mail was refused.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(sent_at__isnull=True), name="thread_link_one_to_send"
            )
        ]
