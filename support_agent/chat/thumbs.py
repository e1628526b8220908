"""The thumbs that messages of a page were given, put into their events for the page alone."""

from __future__ import annotations

from typing import Any

from tickets.models import Feedback

Json = dict[str, Any]


def with_thumbs(events: list[Json]) -> list[Json]:
    """The events, each answer with `thumb` {helpful, cause, reason} where it has one; one query."""
    answers = [event["message"]["id"] for event in events if event["type"] == "message"]
    found = Feedback.objects.filter(message__in=answers)
    given: dict[str, Json] = {
        str(one.message_id): {"helpful": one.helpful, "cause": one.cause, "reason": one.reason} for one in found
    }
    return [_with_thumb(event, given) for event in events] if given else events


def _with_thumb(event: Json, given: dict[str, Json]) -> Json:
    if event["type"] != "message" or event["message"]["id"] not in given:
        return event
    return {**event, "message": {**event["message"], "thumb": given[event["message"]["id"]]}}
