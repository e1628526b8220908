"""Links from an e-mail into one thread: used once, kept as a hash, over after 14 days.

The token follows from the row's own id and the server's key, so that no table, queue or log ever holds one.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from tickets.access import token_hash
from tickets.errors import Expired, NotFound
from tickets.limits import check_hourly
from tickets.models import Conversation, ThreadLink
from tickets.services.locking import lock

VALID_FOR = timedelta(days=14)
MAX_PER_HOUR = 10


def link_token(link: ThreadLink) -> str:
    """What the e-mail carries."""
    return salted_hmac("tickets.thread_link", str(link.pk), algorithm="sha256").hexdigest()


def link_address(link: ThreadLink) -> str:
    """The address in the e-mail; the token is in the query, which our logs leave out."""
    return f"{settings.SITE_ORIGIN}/chat/back/?token={link_token(link)}"


def recipient(conversation: Conversation) -> str:
    """Where we may write: the customer's own address, else the one left in the chat, else nowhere."""
    return conversation.customer.email if conversation.customer else conversation.contact_email


@transaction.atomic
def link_make(*, conversation: Conversation, email: str, upto_seq: int, asked_for: bool = False) -> ThreadLink:
    """A link whose mail is still to be sent; one that waits already is taken further instead, and tried anew."""
    lock(conversation.pk)
    waiting = ThreadLink.objects.filter(conversation=conversation, sent_at=None).first()
    link = waiting or ThreadLink(conversation=conversation)
    link.email, link.expires_at = email, timezone.now() + VALID_FOR
    link.upto_seq = max(upto_seq, link.upto_seq or 0)
    link.asked_for, link.refusals = link.asked_for or asked_for, 0
    link.token_hash = token_hash(link_token(link))
    # Not `tried_at`: a worker may be sending it now.
    link.save(update_fields=["email", "expires_at", "upto_seq", "asked_for", "refusals"] if waiting else None)
    return link


def link_find(token: str) -> ThreadLink:
    """The link of a token, used or not. Raises NotFound."""
    found = ThreadLink.objects.select_related("conversation__customer").filter(token_hash=token_hash(token)).first()
    if found is None:
        raise NotFound(_("This link leads nowhere. Perhaps a part of it is missing."))
    return found


def link_check(link: ThreadLink) -> None:
    """Raises Expired, with a sentence that says why, for a link that no longer opens its thread."""
    if link.used_at is not None:
        raise Expired(_("This link was used already. Each one works once."))
    if link.expires_at <= timezone.now():
        raise Expired(_("This link is over: each one works for 14 days."))
    if not is_current(link):
        raise Expired(_("This link was sent to an address that no longer belongs to the conversation."))


def is_current(link: ThreadLink) -> bool:
    """Whether the address it went to is still where we would write."""
    return recipient(link.conversation).casefold() == link.email.casefold()


@transaction.atomic
def link_use(*, token: str) -> Conversation:
    """Use a link up, and get its conversation. Raises NotFound, or Expired for a second use."""
    found = link_find(token)
    lock(found.conversation_id)
    link = ThreadLink.objects.select_for_update(of=("self",)).select_related("conversation__customer").get(pk=found.pk)
    link_check(link)
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    return link.conversation


def link_renew(*, link: ThreadLink) -> ThreadLink:
    """Another link, to the same mailbox as the old one. Raises Expired when we no longer write there, RateLimited."""
    if not is_current(link):
        raise Expired(_("We no longer write to the address this link was sent to."))
    check_hourly(ThreadLink.objects.filter(conversation=link.conversation), MAX_PER_HOUR)
    mailed = link.conversation.mailed_seq
    return link_make(conversation=link.conversation, email=link.email, upto_seq=mailed, asked_for=True)
