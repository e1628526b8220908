"""From events to what the page shows: words for states, receipts and arguments, and the fold of a history.

The first page of a conversation is a fold of its events (a proposal and its outcome are one card); live events are then
swapped into the same items by id, so both use the same templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from support_agent.chat.renderers.cards import card_context, cards_context
from support_agent.chat.renderers.exact import arguments_shown, brings
from tickets import hours

Json = dict[str, Any]

ACTION_STATES = {
    "proposed": (_("Your confirmation is needed"), _("Nothing happens until you confirm.")),
    "confirmed": (_("Working on it"), _("We are carrying this out now.")),
    "declined": (_("Declined"), _("Nothing was changed.")),
    "expired": (_("Expired"), _("Nothing was changed.")),
    "awaiting_staff": (_("With our team"), _("A colleague has to approve this. You will hear here and by e-mail.")),
    "done": (_("Done"), ""),
    "failed": (_("This did not work"), _("Nothing was changed. Ask again, or talk to a person.")),
    "undone": (_("Undone"), _("Everything is as it was before.")),
}
LABELS = {  # in the order they are shown; what is not named here follows
    "order_number": _("Order"),
    "return_number": _("Return"),
    "sku": _("Item"),
    "skus": _("Items"),
    "field": _("What changes"),
    "value": _("New value"),
    "marketing_opt_in": _("Marketing e-mails"),
    "kind": _("Problem"),
    "wish": _("Your wish"),
    "amount": _("Amount"),
    "reason": _("Reason"),
    "reference": _("Reference"),
}
_ORDER = {key: place for place, key in enumerate(LABELS)}
_TAG_OR_MARK = re.compile(r'<(?:[^<>"]|"[^"]*")*>|\[(\d{1,2})\]')


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the log: the template's name and what it shows."""

    kind: str
    key: str
    context: Json


def item_of(event: Json) -> Item | None:
    """What an event puts into the log; None when it changes only what stands around it."""
    match event["type"]:
        case "message":
            return Item("message", f"m-{event['message']['id']}", message_context(event["message"]))
        case "action":
            return Item("action", f"action-{event['action']['id']}", action_context(event["action"]))
        case "verification":
            return Item("verification", "verification", event)
        case "promise":
            return Item("promise", f"promise-{event['promise']['id']}", promise_context(event["promise"]))
        case "survey":
            return Item("survey", "survey", event)
        case "status" if event["status"] != "waiting":
            return Item("status", f"status-{event['seq']}", event)
    return None


def fold(events: Iterable[Json]) -> list[Item]:
    """The log of a history: later states of a card replace it where it stands; a new code form moves to the end."""
    items: dict[str, Item] = {}
    for event in events:
        item = item_of(event)
        if item is None or (item.kind == "status" and item.context["status"] == "ai" and not items):
            continue
        if item.kind in ("verification", "survey") and event["state"] == "requested":
            items.pop(item.key, None)
        items[item.key] = item
    return list(items.values())


def message_context(message: Json) -> Json:
    """A message with its citation marks turned into links, its time parsed and its cards in words."""
    at = parse_time(message["created_at"])
    cards = cards_context(message.get("cards") or [], said_at=at)
    return {**message, "at": at, "body": cited(message["html"], message["sources"]), "cards": cards}


def action_context(action: Json) -> Json:
    """An action with words for its state and rows for its arguments and receipt."""
    title, note = ACTION_STATES.get(action["state"], (action["state"].capitalize(), ""))
    undo_until = parse_time(action.get("undo_until"))
    receipt = {} if action["state"] == "undone" else dict(action.get("receipt") or {})
    card = receipt.pop("card", None)
    note = receipt.pop("message", note)  # what was done, or why it was not, or not yet
    if action["state"] != "done":
        receipt.pop("reason", None)  # the code of the same
    told = action.get("arguments") or {}
    return {
        **action,
        "title": title,
        "note": "" if card and action["tool"] == "request_refund" else note,  # the card says as much
        "rows": _exact(action, only=("reason",) if card else ()),
        "card": card_context(card) if card else None,
        "receipt_rows": [] if card else rows({key: value for key, value in receipt.items() if told.get(key) != value}),
        "expires": parse_time(action.get("expires_at")),
        "undo_until": undo_until if undo_until and undo_until > timezone.now() else None,
        "can_renew": action["state"] in ("proposed", "expired") and not action.get("renewed_as"),
    }


def _exact(action: Json, only: tuple[str, ...]) -> list[tuple[str, str]]:
    """Rows for the arguments, or for some of them; while it is open also for what it costs and brings."""
    preview = action.get("preview") or {}
    shown = arguments_shown(action.get("arguments") or {}, preview)
    told = rows({name: value for name, value in shown.items() if not only or name in only})
    return told + (brings(preview) if action["state"] == "proposed" else [])


PROMISE_STATES = {"open": _("Promised"), "kept": _("Done"), "missed": _("Late"), "withdrawn": _("No longer needed")}


def promise_context(promise: Json) -> Json:
    """A promise with its times parsed, words for its state, and whether the customer may leave an address beside it."""
    due, settled = parse_time(promise["due_at"]), parse_time(promise.get("settled_at"))
    now = timezone.now()
    is_reply = promise.get("kind") == "reply"
    return {
        **promise,
        "due": due,
        "due_words": hours.moment(due) if due else "",
        "settled": settled,
        "settled_words": hours.moment(settled) if settled else "",
        "title": PROMISE_STATES.get(promise["state"], promise["state"].capitalize()),
        "was_late": promise["state"] == "kept" and bool(due and settled and settled > due),
        "asks_address": is_reply and promise["state"] == "open",
        "is_open": hours.is_open(now),
        "hours": hours.words(),
    }


def place_context(frame: Json) -> Json:
    """The place in the line, its times parsed and in words."""
    opens = parse_time(frame.get("opens_at"))
    return {**frame, "opens": opens, "opens_words": hours.moment(opens) if opens else ""}


def rows(values: Json) -> list[tuple[str, str]]:
    """Label and value, in words, for a definition list; empty values are left out."""
    return [
        (str(LABELS.get(key, key.replace("_", " ").capitalize())), words(value))
        for key, value in sorted(values.items(), key=lambda pair: _ORDER.get(pair[0], len(_ORDER)))
        if value not in (None, "", [], {})
    ]


def words(value: Any) -> str:
    """A JSON value as a person would write it."""
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, list):
        return ", ".join(words(part) for part in value)
    if isinstance(value, dict):
        return "; ".join(f"{label}: {text}" for label, text in rows(value))
    text = str(value)
    return text.replace("_", " ") if re.fullmatch(r"[a-z]+(_[a-z]+)+", text) else text


def cited(html: str, sources: list[Json]) -> SafeString:
    """Sanitised HTML with each [n] of a known source as a small link to it; tags are left alone."""
    known = {str(source["n"]): source for source in sources}

    def link(match: re.Match[str]) -> str:
        source = known.get(match[1] or "")
        if source is None:
            return match[0]
        return format_html('<a class="cite" href="{}" title="{}">{}</a>', source["url"], source["title"], match[1])

    return mark_safe(_TAG_OR_MARK.sub(link, html))  # noqa: S308 - sanitised when the message was written


def parse_time(value: Any) -> datetime | None:
    """An ISO moment, as the events carry it."""
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None
