"""What staff keep among themselves about a conversation, and how far each of them has read."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from tickets.models.base import Record
from tickets.models.conversations import Conversation
from tickets.models.staff import Team, User


class Note(Record):
    """Private: never an event, never shown to the customer, never part of what the assistant is told."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    after_seq = models.PositiveBigIntegerField(help_text="Where it stands in the thread: after this event.")
    form_id = models.UUIDField(null=True, blank=True, editable=False, help_text="Of the form it came with: once each.")

    class Meta:
        ordering = ["conversation", "created_at"]
        constraints = [models.UniqueConstraint(fields=["conversation", "form_id"], name="note_once_per_form")]

    def __str__(self) -> str:
        return self.text[:60]


class Mention(Record):
    """A colleague named in a note by @username; unread until they open the thread."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mentions")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["note", "user"], name="mention_once")]


class CannedReply(Record):
    """A ready answer, put into the composer by /shortcut; without a team it is everybody's.

    Placeholders: {customer}, {staff}, {reference}.
    """

    shortcut = models.SlugField(max_length=40)
    title = models.CharField(max_length=120)
    text = models.TextField()
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="canned_replies")

    class Meta:
        ordering = ["shortcut"]
        verbose_name_plural = "canned replies"
        constraints = [models.UniqueConstraint(Lower("shortcut"), name="canned_reply_shortcut")]

    def __str__(self) -> str:
        return f"/{self.shortcut}"


class ReadMark(models.Model):
    """How far one member of staff has read a conversation; what lies past it is unread to them."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="read_marks")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="read_marks")
    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "conversation"], name="read_mark_once")]

    def __str__(self) -> str:
        return f"up to {self.seq}"
