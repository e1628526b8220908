"""What those who listen are told, once, when something has happened: finished answers with their author, cards,
outcomes, who joined. Growing text and the customer's own words are not repeated."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from support_agent.chat.renderers.cards import card_spoken
from support_agent.chat.renderers.items import ACTION_STATES, PROMISE_STATES
from tickets.workspace import workspace

Json = dict[str, Any]
VERIFICATION = {
    "requested": gettext_lazy("Check your e-mail. Enter the six-digit code into the form."),
    "verified": gettext_lazy("Verified. Thank you, we know it is you."),
    "failed": gettext_lazy("That code was not right. You can have a new one sent."),
    "expired": gettext_lazy("That code is no longer valid. You can have a new one sent."),
}
SURVEY = {
    "requested": gettext_lazy("How did we do? You can rate this conversation."),
    "answered": gettext_lazy("Thank you. It goes to the people who look after this chat."),
}
_CITATION = re.compile(r"\s*\[\d{1,2}\]")
_BLOCK_ENDS = re.compile(r"</(?:p|li|h\d|tr|blockquote|pre)>")


def spoken(event: Json) -> list[str]:
    """The lines to say about an event, in their order."""
    match event["type"]:
        case "message" if event["message"]["role"] != "customer":
            return _message(event["message"])
        case "action":
            return _action(event["action"])
        case "promise":
            return [f"{PROMISE_STATES.get(event['promise']['state'], '')}: {event['promise']['text']}"]
        case "verification":
            return [str(VERIFICATION[event["state"]])] if event["state"] in VERIFICATION else []
        case "survey":
            return [str(SURVEY[event["state"]])] if event["state"] in SURVEY else []
        case "status":
            return _status(event)
    return []


def _message(message: Json) -> list[str]:
    ours = {"assistant": _("Assistant"), "system": workspace().name}
    author = ours.get(message["role"], message["author"] or _("Our team"))
    apart = _BLOCK_ENDS.sub(" ", message["html"])
    words = " ".join(_CITATION.sub("", unescape(strip_tags(apart))).split())
    return [f"{author}: {words}", *(card_spoken(card) for card in message.get("cards") or [])]


def _action(action: Json) -> list[str]:
    """Its state and what it is; where something was made of it, or refused, that as well."""
    if action.get("renewed_as"):
        return []  # what took its place has been said
    title, __ = ACTION_STATES.get(action["state"], ("", ""))
    receipt = action.get("receipt") or {}
    lines = [f"{title}: {action['summary']}"]
    if receipt.get("message") and action["state"] in ("done", "failed", "declined"):
        lines[0] += f". {receipt['message']}"
    return lines


def _status(event: Json) -> list[str]:
    match event["status"]:
        case "human":
            words = {"name": event.get("staff") or _("Our team"), "team": event.get("team")}
            if event.get("team"):
                return [_("%(name)s from %(team)s joined the conversation.") % words]
            return [_("%(name)s joined the conversation.") % words]
        case "ai":
            return [_("The assistant answers again.")]
        case "closed":
            return [_("The conversation is closed.")]
    return []
