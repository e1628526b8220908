"""Events as htmx fragments: partial swaps into the chat page, rendered by the templates the page itself uses.

Each persistent event also moves the page's cursor, from which a lost connection goes on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.template.loader import get_template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from support_agent.chat.renderers.items import Item, fold, item_of, place_context
from support_agent.chat.renderers.spoken import spoken
from tickets.languages import speaking
from tickets.languages import spoken as active_language

Json = dict[str, Any]
KEPT = 512
_rendered: OrderedDict[tuple[UUID, int, str], str] = OrderedDict()  # a conversation open twice renders an event once


class HtmlRenderer:
    lenient = True

    def __init__(self, conversation_id: UUID) -> None:
        self._conversation_id = conversation_id
        self.language = active_language()  # of the request that polls; a socket sets its conversation's
        self._own = 0  # the seq of the customer's newest message, as far as it came this way
        self._growing: tuple[str, int] | None = None  # message_id and length of the text shown so far

    def event(self, event: Json) -> str:
        if event["type"] in ("message", "turn"):
            self._growing = None
        if event["type"] == "message" and event["message"]["role"] == "customer":
            self._own = event["seq"]
        if event["type"] == "message" and event["message"].get("attachments"):
            with speaking(self.language):
                return _event(event)  # the addresses of its images do not hold as long as what is kept here
        key = (self._conversation_id, event["seq"], self.language)
        if key not in _rendered:
            with speaking(self.language):
                _rendered[key] = _event(event)
            if len(_rendered) > KEPT:
                _rendered.popitem(last=False)
        return _rendered[key]

    def frame(self, frame: Json) -> str | None:
        with speaking(self.language):
            return self._frame(frame)

    def _frame(self, frame: Json) -> str | None:
        match frame["type"]:
            case "delta":
                return self._delta(frame)
            case "retract" | "ready" as name:
                self._growing = None
                return _render(f"frames/{name}", frame)
            case "queue":
                return _render("frames/queue", place_context(frame))
            case "seen" if frame["upto"] >= self._own:
                return _render("frames/seen", frame)
            case "activity":
                return _activity(frame["state"], frame.get("label", ""), self.language)
            case "typing" | "ack" | "moved" | "thanks" | "pong" as name:
                return _render(f"frames/{name}", frame)
        return None

    def error(self, frame: Json, about: Json) -> str:
        with speaking(self.language):
            return _render("frames/error", {**frame, "about": about})

    def _delta(self, delta: Json) -> str | None:
        """The next piece of growing text; after a hole nothing until the final message."""
        plain = escape(delta["text"].replace("**", ""))  # bold is for the finished message; its marks only flicker
        text = mark_safe(plain.replace("\n\n", '<span class="para"></span>'))  # noqa: S308 - escaped
        message_id, offset = delta["message_id"], delta["offset"]
        if offset and self._growing != (message_id, offset):
            return None
        self._growing = (message_id, offset + len(delta["text"]))
        return _render("frames/delta", {"message_id": message_id, "text": text, "first": offset == 0})


def page_items(events: Iterable[Json], told: Mapping[str, Json] | None = None, **common: Any) -> list[SafeString]:
    """The log of a history for the page itself, neighbours by the same author in the same minute joined.

    `told` has more for the template of an item, by its key or kind; `common` is for all of them.
    """
    shown: list[SafeString] = []
    before: tuple[str, str] | None = None
    told = told or {}
    for item in fold(events):
        author = None
        if item.kind == "message" and item.context["role"] != "assistant":  # each answer stands for itself
            author = (item.context["role"], item.context["created_at"][:16])
        more = told.get(item.key) or told.get(item.kind) or {}
        shown.append(_item(item, continued=author is not None and author == before, **common, **more))
        before = author
    return shown


@lru_cache(maxsize=256)
def _activity(state: str, label: str, _language: str) -> str:
    """The same for every conversation of a language."""
    return _render("frames/activity", {"state": state, "label": label})


def _event(event: Json) -> str:
    item = item_of(event)
    context: Json = {"event": event, "item": item, "spoken": spoken(event)}
    if item is not None:
        context["body"] = _item(item)
        state = item.context.get("state")
        context["replaces"] = item.kind in ("action", "verification", "survey", "promise") and state not in (
            "proposed",
            "requested",
            "open",
        )
    return _render("frames/event", context)


def _item(item: Item, **extra: Any) -> SafeString:
    return mark_safe(_render(f"items/{item.kind}", {**item.context, **extra}))  # noqa: S308 - a rendered template


def _render(name: str, context: Json) -> str:
    return get_template(f"chat/{name}.html").render(context).strip()
