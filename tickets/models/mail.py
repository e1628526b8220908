"""Every e-mail the demo sent, shown at /demo/mail/."""

from __future__ import annotations

from django.db import models

from tickets.models.base import Record


class DemoMail(Record):
    to = models.CharField(max_length=300, db_index=True)
    sender = models.CharField(max_length=200)
    reply_to = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=300)
    body = models.TextField()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "demo mails"
