"""What we say when the model must not: short, honest, with the next step."""

from __future__ import annotations


def gettext_noop(text: str) -> str:
    """Marks a text for the catalogues; `EngineConfig.say` puts it into the customer's language."""
    return text


HANDOVER = gettext_noop(
    "I can't finish this on my own, so I've passed your conversation to our team with everything written here. "
    "A person will continue right in this chat; you don't need to repeat anything."
)
ASKED = gettext_noop(
    "I've passed your conversation to our team with everything written here. "
    "A person will answer right in this chat; you don't need to repeat anything."
)
UNSURE = gettext_noop(
    "I'm not certain enough to answer that correctly, so I've asked a person from our team to take over. "
    "They can see this conversation and will reply here."
)
SWITCHED_OFF = gettext_noop(
    "Our assistant is switched off at the moment, so a person from our team will answer you right here. "
    "They can read everything in this chat."
)
FAILED = gettext_noop(
    "Something went wrong on our side and your last message was not answered. "
    "Please send it again, or press “Talk to a person”."
)
