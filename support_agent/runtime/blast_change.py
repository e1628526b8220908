"""What is otherwise in a replay of a blast radius: a draft in the help centre, or a tool. (Another prompt is the
replay's own matter: it names the version that speaks.)

A replay and its baseline meet the same world but for the change. So a search is answered as it was recorded unless the
draft makes a difference to it; only then one of them sees the draft, and the other what the search finds today.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from support_agent.agent.routing import SURE_ARTICLE
from support_agent.agent.types import TurnInput
from support_agent.models import BlastRadius, Replay
from support_agent.runtime.history import article_score_of
from tickets.audience import readers_of
from tickets.languages import language_of
from tickets.selectors.customers import customer_by_id
from tickets.services.article_drafts import as_if_saved

Json = dict[str, Any]
SEARCH = "search_knowledge_base"


@dataclass(frozen=True, slots=True)
class Change:
    """`draft` is an article's fields as they would be, `off` is not offered, `anew` runs although it was recorded.
    A baseline does without: it only looks where the draft would have made a difference."""

    draft: Mapping[str, str] | None = None
    off: str = ""
    anew: str = ""
    is_baseline: bool = False


NONE = Change()


def change_of(replay: Replay) -> Change:
    """What this replay is to take place under."""
    radius = replay.radius
    if radius is None:
        return NONE
    match radius.kind:
        case BlastRadius.Kind.ARTICLE:
            return Change(draft=radius.draft, is_baseline=replay.is_baseline)
        case BlastRadius.Kind.TOOL if not replay.is_baseline:
            is_off = radius.tool_as == BlastRadius.ToolAs.OFF
            return Change(off=radius.tool) if is_off else Change(anew=radius.tool)
    return NONE


def routed(start: TurnInput, change: Change, customer_id: UUID | None) -> TurnInput:
    """The turn as the draft would have it begin: an article that fits a question so well that no plan is made, or no
    longer."""
    if change.draft is None:
        return start
    language = language_of(start.locale)
    readers = readers_of(customer_by_id(customer_id))
    now = article_score_of(start.text, readers, language)
    with as_if_saved(change.draft):
        then = article_score_of(start.text, readers, language)
    if (now >= SURE_ARTICLE) == (then >= SURE_ARTICLE):
        return start
    return replace(start, article_score=now if change.is_baseline else then)


def is_otherwise(one: Json, other: Json, slug: str) -> bool:
    """Whether two results of a search tell the model different things of this article. A score alone says nothing: one
    word more in one article moves those of all."""
    if not any(_holds(result, slug) for result in (one, other)):
        return False
    return _told(one) != _told(other)


def _holds(result: Json, slug: str) -> bool:
    return any(hit.get("url") == f"/help/{slug}/" for hit in result.get("results", ()))


def _told(result: Json) -> list[Json]:
    return [{name: hit[name] for name in hit if name != "score"} for hit in result.get("results", ())]
