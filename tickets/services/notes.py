"""Notes: what staff keep among themselves about a conversation. No event, so no customer's client ever hears of one."""

from __future__ import annotations

import re
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from tickets.errors import SentAlready
from tickets.models import Conversation, Mention, Note, User
from tickets.publishing import INBOX_GROUP, publish
from tickets.selectors.staff import colleagues_named, staff_name
from tickets.services.audit import audit
from tickets.services.conversations import lock
from tickets.services.messages import check_text

# As Django allows usernames, without a full stop or dash at the end: that one ends the sentence.
MENTION = re.compile(r"(?<![\w@.+-])@([\w.@+-]*\w)")


@transaction.atomic
def note_add(*, conversation_id: UUID, author: User, text: str, form_id: UUID | None = None) -> Note:
    """Keep a note where the thread stands now, and tell the colleagues it names; a form sent twice makes one.

    Raises Empty, TooLong, NotFound, SentAlready.
    """
    text = check_text(text)
    conversation = lock(conversation_id)
    known = Note.objects.filter(conversation=conversation, form_id=form_id).first() if form_id else None
    if known is not None:
        if (known.author_id, known.text) != (author.pk, text):
            raise SentAlready
        return known
    note = Note.objects.create(
        conversation=conversation, author=author, text=text, after_seq=conversation.last_seq, form_id=form_id
    )
    named = [user for user in colleagues_named(MENTION.findall(text)) if user.pk != author.pk]
    Mention.objects.bulk_create(Mention(note=note, user=user) for user in named)
    changes = {"text": ("", text), "mentions": ("", ", ".join(user.get_username() for user in named))}
    audit(actor=author, action="note.add", obj=note, changes=changes)
    transaction.on_commit(partial(_announce, conversation, author, named))
    return note


def mentions_read(*, conversation_id: UUID, user: User) -> int:
    """The colleague has opened the thread; how many notes called them there."""
    unread = Mention.objects.filter(note__conversation=conversation_id, user=user, read_at=None)
    return unread.update(read_at=timezone.now())


def _announce(conversation: Conversation, author: User, named: list[User]) -> None:
    key = str(conversation.pk)
    frames = [{"type": "inbox.changed", "id": key, "why": "note"}]
    frames += [
        {
            "type": "inbox.mention",
            "user_id": str(user.pk),
            "id": key,
            "reference": conversation.reference,
            "from": staff_name(author),
        }
        for user in named
    ]
    publish([(INBOX_GROUP, frame) for frame in frames])
