"""What a person writes to a customer: only who has taken the conversation over may."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from tickets.audience import Readers, readers_of
from tickets.errors import Conflict, Moved, SentAlready
from tickets.models import Conversation, Message, User
from tickets.selectors.articles import published_articles
from tickets.selectors.staff import staff_name
from tickets.services.audit import audit
from tickets.services.conversations import lock
from tickets.services.escalations import escalation_answered
from tickets.services.messages import check_text, message_staff
from tickets.services.promises import promises_keep_replies

Json = dict[str, Any]
_ARTICLE = re.compile(r"\]\(/help/([\w-]+)/?(?:#[\w-]*)?\)")


@transaction.atomic
def reply_post(
    *, conversation_id: UUID, staff: User, text: str, seen_seq: int | None = None, form_id: UUID | None = None
) -> Message:
    """Answer as the person who has the conversation; articles the text links to become its sources. A form sent twice
    makes one reply.

    Raises Conflict when somebody else has it, Moved when the customer or a colleague wrote after `seen_seq`, Empty,
    TooLong, SentAlready.
    """
    conversation = lock(conversation_id)
    if (known := _sent_already(conversation, staff, text, form_id)) is not None:
        return known
    if conversation.status != Conversation.Status.HUMAN:
        raise Conflict("Take the conversation over before you answer.")
    if conversation.assignee_id != staff.pk:
        raise Conflict(f"{staff_name(conversation.assignee)} has this conversation.")
    if seen_seq is not None:
        newest = messages_of_others(conversation, staff).filter(seq__gt=seen_seq).order_by("-seq").first()
        if newest is not None:
            raise Moved(newest.seq)
    sources = sources_in(text, readers_of(conversation.customer))
    message = message_staff(conversation=conversation, staff=staff, text=text, sources=sources, form_id=form_id)
    escalation_answered(conversation=conversation)
    promises_keep_replies(conversation=conversation)
    audit(actor=staff, action="message.reply", obj=message, changes={"seq": (None, message.seq)})
    return message


def messages_of_others(conversation: Conversation, staff: User) -> QuerySet[Message]:
    """What the customer and colleagues wrote."""
    others = Q(role=Message.Role.CUSTOMER) | Q(role=Message.Role.STAFF) & ~Q(staff=staff)
    return Message.objects.filter(others, conversation=conversation)


def sources_in(text: str, readers: Readers) -> list[Json]:
    """The articles a text links to that its reader may open, in its order, as the sources of a message."""
    slugs = list(dict.fromkeys(_ARTICLE.findall(text)))
    if not slugs:
        return []
    titles = dict(published_articles(readers).filter(slug__in=slugs).values_list("slug", "title"))
    known = [slug for slug in slugs if slug in titles]
    return [{"n": n, "title": titles[slug], "url": f"/help/{slug}/"} for n, slug in enumerate(known, start=1)]


def _sent_already(conversation: Conversation, staff: User, text: str, form_id: UUID | None) -> Message | None:
    """The reply this form made before. Raises SentAlready when it was another, or another's."""
    if form_id is None:
        return None
    known = Message.objects.filter(conversation=conversation, client_message_id=form_id).first()
    if known is not None and (known.staff_id, known.text) != (staff.pk, check_text(text)):
        raise SentAlready
    return known
