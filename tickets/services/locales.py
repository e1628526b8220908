"""Which language a conversation is held in."""

from __future__ import annotations

from tickets.languages import language_of
from tickets.models import Conversation


def conversation_speak(*, conversation: Conversation, language: str) -> None:
    """What we say in it from now on is said in this language; a locale of the same language keeps its country."""
    if language_of(conversation.locale) == language_of(language):
        return
    Conversation.objects.filter(pk=conversation.pk).update(locale=language)
    conversation.locale = language
