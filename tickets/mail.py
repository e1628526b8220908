"""E-mail: one way to send, and the demo's backend that keeps every mail where `/demo/mail/` shows it."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from tickets.models import DemoMail


class DemoMailBackend(BaseEmailBackend):
    """Stores mails as DemoMail rows; nothing leaves the machine."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        mails = [
            DemoMail(
                to=", ".join(mail.recipients())[:300],
                sender=mail.from_email[:200],
                subject=str(mail.subject)[:300],
                body=str(mail.body),
            )
            for mail in email_messages
        ]
        return len(DemoMail.objects.bulk_create(mails))


def send(*, to: str, subject: str, body: str) -> None:
    """Send one plain-text mail from the shop's address. Raises what the backend raises; jobs retry."""
    EmailMessage(subject=" ".join(subject.split()), body=body, to=[to]).send()
