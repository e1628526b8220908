"""Images customers send with their messages."""

from __future__ import annotations

from django.db import models

from tickets.models.base import Record
from tickets.models.conversations import Conversation, Message


def stored_at(attachment: Attachment, _: str) -> str:
    """The file's place under MEDIA_ROOT; nothing of it comes from the customer."""
    return f"attachments/{attachment.conversation_id}/{attachment.pk}"


class Attachment(Record):
    """One image, checked and re-encoded; `message` is empty until it was sent with one. No URL serves `file` itself."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="attachments")
    message = models.ForeignKey(Message, null=True, blank=True, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField(help_text="Bytes.")
    file = models.FileField(upload_to=stored_at, max_length=120)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.name
