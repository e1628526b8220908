"""E-mail: one way to send, and the demo's backend that keeps every mail where `/demo/mail/` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import parseaddr
from uuid import UUID, uuid5

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from tickets.models import DemoMail
from tickets.queue import running


class DemoMailBackend(BaseEmailBackend):
    """Stores mails as DemoMail rows; nothing leaves the machine."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        mails = [
            DemoMail(
                to=", ".join(mail.recipients())[:300],
                sender=mail.from_email[:200],
                reply_to=", ".join(mail.reply_to)[:200],
                subject=str(mail.subject)[:300],
                body=str(mail.body),
            )
            for mail in email_messages
        ]
        return len(DemoMail.objects.bulk_create(mails))


def send(*, to: str, subject: str, body: str) -> None:
    """Send one plain-text mail from the shop's address. Raises what the backend raises; jobs retry.

    A job that dies between the sending and its note of it sends again, under the same Message-ID: mailboxes that know
    it drop the repeat.
    """
    reply_to = [settings.EMAIL_REPLY_TO] if settings.EMAIL_REPLY_TO else None
    headers = {"Message-ID": _message_id(running.get(), to)} if running.get() else None
    EmailMessage(subject=" ".join(subject.split()), body=body, to=[to], reply_to=reply_to, headers=headers).send()


def _message_id(job_id: str, to: str) -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{uuid5(UUID(job_id), to)}@{domain}>"
