"""Replies of staff that nobody has seen for two minutes go out by e-mail: one mail for a run of them.

A run is claimed by moving `mailed_seq`, in the transaction that makes the mail's link. The mail itself is sent after it
and noted on the link, so that a mail server that is away only delays it; an address that it refuses holds up nobody
else's. Any number of workers may do this at once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import hours, mail
from tickets.languages import day, speaking
from tickets.models import Conversation, Message, ThreadLink
from tickets.services.locking import lock
from tickets.services.thread_links import link_address, link_make, recipient
from tickets.workspace import workspace

log = logging.getLogger(__name__)
UNSEEN_FOR = timedelta(minutes=2)
LOOKED_BACK = timedelta(days=2)  # what is older than this nobody waits for in their mailbox
TRY_AGAIN = timedelta(minutes=2)
MAX_REFUSALS = 5  # then its mail is given up, until there is more to tell or somebody asks for it
CLOSING = 421  # of SMTP: the server goes away
AT_ONCE = 100


def mail_unseen_replies() -> int:
    """The job: claim what is due, then send what is claimed; how many mails went out."""
    now = timezone.now()
    for conversation_id in _due(now):
        _claim(conversation_id, now)
    return _send_waiting(now)


def _due(now: datetime) -> list[UUID]:
    """Conversations with a reply old enough that was neither seen nor mailed."""
    unseen = Message.objects.filter(
        Q(seq__gt=F("conversation__customer_read_seq")) & Q(seq__gt=F("conversation__mailed_seq")),
        role=Message.Role.STAFF,
        created_at__lte=now - UNSEEN_FOR,
        conversation__last_message_at__gt=now - LOOKED_BACK,
    )
    reachable = unseen.filter(Q(conversation__customer__isnull=False) | ~Q(conversation__contact_email="")).exclude(
        conversation__channel=Conversation.Channel.TASK
    )
    return list(reachable.order_by().values_list("conversation_id", flat=True).distinct()[:AT_ONCE])


@transaction.atomic
def _claim(conversation_id: UUID, now: datetime) -> None:
    conversation = lock(conversation_id)
    seen = max(conversation.customer_read_seq, conversation.mailed_seq)
    replies = Message.objects.filter(conversation=conversation, role=Message.Role.STAFF, seq__gt=seen)
    to = recipient(conversation)
    if not to or not replies.filter(created_at__lte=now - UNSEEN_FOR).exists():
        return  # another worker was faster, or the customer came back
    upto = replies.aggregate(last=Max("seq"))["last"]
    link_make(conversation=conversation, email=to, upto_seq=upto)
    Conversation.objects.filter(pk=conversation.pk).update(mailed_seq=upto)


def _send_waiting(now: datetime) -> int:
    due = Q(tried_at=None) | Q(tried_at__lt=now - TRY_AGAIN)
    waiting = ThreadLink.objects.filter(due, sent_at=None, refusals__lt=MAX_REFUSALS, expires_at__gt=now)
    sent = 0
    in_turn = waiting.order_by(F("tried_at").asc(nulls_first=True), "created_at")
    for link_id in in_turn.values_list("pk", flat=True)[:AT_ONCE]:
        if waiting.filter(pk=link_id).update(tried_at=now):  # exactly one worker tries
            try:
                sent += _send(ThreadLink.objects.select_related("conversation__customer").get(pk=link_id))
            except Exception as error:
                log.warning("reply_mail_failed", exc_info=True, extra={"link_id": str(link_id)})
                if _is_away(error):
                    break  # the others wait too
                ThreadLink.objects.filter(pk=link_id).update(refusals=F("refusals") + 1)
    return sent


def _is_away(error: Exception) -> bool:
    """Whether the mail server cannot be reached or is closing, rather than refuses this one mail."""
    match error:
        case SMTPRecipientsRefused():
            return any(code == CLOSING for code, __ in error.recipients.values())
        case SMTPSenderRefused() | SMTPDataError():
            return error.smtp_code == CLOSING
    return isinstance(error, OSError)  # as all other errors of smtplib are, too


def _send(link: ThreadLink) -> int:
    """Send a link's mail with the replies it tells of."""
    before = ThreadLink.objects.filter(conversation=link.conversation, sent_at__isnull=False)
    told = before.aggregate(last=Max("upto_seq"))["last"] or 0
    after = max(told, link.conversation.customer_read_seq)
    replies = list(
        Message.objects.filter(
            conversation=link.conversation, role=Message.Role.STAFF, seq__gt=after, seq__lte=link.upto_seq
        ).order_by("seq")
    )
    if not replies and not link.asked_for:  # seen meanwhile; taken further since then, it stays
        ThreadLink.objects.filter(pk=link.pk, upto_seq=link.upto_seq, asked_for=False).delete()
        return 0
    with speaking(link.conversation.locale):
        mail.send(to=link.email, subject=_subject(link, replies), body=_body(link, replies))
    _sent(link)
    return 1


@transaction.atomic
def _sent(link: ThreadLink) -> None:
    """Note it. What was claimed while the mail went out is not in it: that gets a link of its own."""
    lock(link.conversation_id)
    now_claimed = ThreadLink.objects.get(pk=link.pk)
    ThreadLink.objects.filter(pk=link.pk).update(sent_at=timezone.now(), email=link.email, upto_seq=link.upto_seq)
    if now_claimed.upto_seq > link.upto_seq:
        link_make(conversation=link.conversation, email=now_claimed.email, upto_seq=now_claimed.upto_seq)


def _subject(link: ThreadLink, replies: Sequence[Message]) -> str:
    if not replies:
        return _("Your way back into the chat (%(reference)s)") % {"reference": link.conversation.reference}
    words = {"name": replies[-1].author, "reference": link.conversation.reference}
    return _("%(name)s answered you (%(reference)s)") % words


def _body(link: ThreadLink, replies: Sequence[Message]) -> str:
    """Who wrote what, and the way to answer; nothing else of the conversation or the account."""
    shop = workspace()
    said = "\n\n".join(
        _("%(name)s, %(shop)s, wrote:") % {"name": reply.author, "shop": shop.name} + f"\n\n{_quoted(reply.text)}"
        for reply in replies
    )
    body = _(
        "Hello,\n\n%(said)s\n\n"
        "Please answer in the chat, here:\n"
        "%(link)s\n\n"
        "The link works once, until %(day)s, and opens this conversation only. Please do not pass it on. What you "
        "send to this address does not appear in the chat."
    )
    words = {
        "said": said or _("here is the link you asked for."),
        "link": link_address(link),
        "day": day(link.expires_at.astimezone(hours.zone())),
    }
    return body % words + shop.signature


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
