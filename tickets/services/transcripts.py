"""A conversation as plain text, mailed to whom it belongs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from tickets import hours, mail
from tickets.errors import Conflict, Empty
from tickets.languages import day, speaking
from tickets.models import Conversation, Message
from tickets.queue import enqueue
from tickets.services.thread_links import recipient
from tickets.workspace import workspace

WHO = {
    Message.Role.CUSTOMER: pgettext_lazy("who wrote a message", "You"),
    Message.Role.ASSISTANT: gettext_lazy("Assistant"),
}
MAX_MESSAGES = 1000  # in a mail
MAX_IN_FILE = 20_000


def transcript_send(*, conversation: Conversation) -> str:
    """Mail the conversation as it stands, in a job; returns the address. A known customer's goes to their own.

    Raises Conflict without an address, Empty when nothing was said.
    """
    to = recipient(conversation)
    if not to:
        raise Conflict(_("Tell us first where to send it."))
    if not Message.objects.filter(conversation=conversation).exists():
        raise Empty
    enqueue(mail_transcript, str(conversation.pk), conversation.last_seq, queue="mail")
    return to


def mail_transcript(conversation_id: str, upto_seq: int) -> None:
    """The job: one mail."""
    conversation = Conversation.objects.select_related("customer").filter(pk=conversation_id).first()
    if conversation is None or not (to := recipient(conversation)):
        return
    with speaking(conversation.locale):
        shop = workspace()
        words = {"reference": conversation.reference, "shop": shop.name}
        body = _(
            "Hello,\n\nthis is your conversation %(reference)s, as you asked. "
            "What you send to this address does not appear in the chat."
        )
        mail.send(
            to=to,
            subject=_("Your conversation %(reference)s with %(shop)s") % words,
            body=f"{body % words}\n\n{transcript_text(conversation.pk, upto_seq)}{shop.signature}",
        )


def transcript_file(conversation: Conversation) -> str:
    """The conversation as a text file to keep."""
    words = {"reference": conversation.reference, "shop": workspace().name, "time": _at(conversation.created_at)}
    head = _("Conversation %(reference)s with %(shop)s, begun %(time)s") % words
    body = transcript_text(conversation.pk, conversation.last_seq, most=MAX_IN_FILE)
    return f"{head}\n{'=' * len(head)}\n\n{body}\n"


def transcript_text(conversation_id: UUID, upto_seq: int, *, most: int = MAX_MESSAGES) -> str:
    """Who said what and when, in the shop's time: the newest `most` messages, and a line about the rest."""
    said: QuerySet[Message] = Message.objects.filter(conversation=conversation_id, seq__lte=upto_seq)
    messages = list(said.order_by("-seq")[: most + 1])
    entries = [_entry(message) for message in reversed(messages[:most])]
    if len(messages) > most:
        told = _("[Only the newest %(number)s messages are here; you find all of them in the chat.]")
        entries.insert(0, told % {"number": number_format(most, force_grouping=True)})
    return "\n\n".join(entries)


def _entry(message: Message) -> str:
    shop = workspace().name
    by_us = shop if message.role == Message.Role.SYSTEM else f"{message.author or _('Our team')}, {shop}"
    who = WHO.get(Message.Role(message.role)) or by_us
    lines = [f"{who} ({_at(message.created_at)})", message.text.replace("**", "")]
    lines += [_("[picture: %(name)s]") % {"name": file.get("name", "")} for file in message.attachments]
    lines += [f"[{source['n']}] {source['title']}" for source in _known(message.sources)]
    return "\n".join(line for line in lines if line)


def _known(sources: list[Any]) -> list[dict[str, Any]]:
    return [source for source in sources if isinstance(source, dict) and {"n", "title"} <= source.keys()]


def _at(moment: datetime) -> str:
    here = moment.astimezone(hours.zone())
    return _("%(day)s %(time)s %(zone)s") % {"day": day(here), "time": f"{here:%H:%M}", "zone": hours.zone_words()}
