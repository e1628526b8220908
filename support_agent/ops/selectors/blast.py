"""Blast radii for the pages: the list, what a change is, and the turns of one radius, before beside after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from uuid import UUID

from support_agent.models import BlastRadius, PromptVersion, Replay
from support_agent.ops.selectors.prompts import NAMES, Line, compared
from support_agent.runtime.blast_judge import verdict_on
from support_agent.runtime.blast_tally import VERDICTS, Tally, sentence, tallies_of
from support_agent.runtime.blast_verdict import DRIFT, OTHERWISE, SAME, WORDED, sentences
from support_agent.runtime.catalogue import catalogue
from tickets.models import Article, Message
from tickets.models.conversations import ERASED
from tickets.services.article_drafts import draft_of

LISTED, SHOWN = 50, 20
NAMED = {
    OTHERWISE: "Answered otherwise",
    WORDED: "In other words",
    DRIFT: "Otherwise today anyway",
    SAME: "The same",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A radius in the list."""

    radius: BlastRadius
    what: str
    tally: Tally
    sentence: str


@dataclass(frozen=True, slots=True)
class Card:
    """One turn, before and after, as sentences and whether the other side has them too."""

    replay: Replay
    asked: str
    reasons: tuple[str, ...]
    before: list[tuple[str, bool]]
    after: list[tuple[str, bool]]
    outcome: str
    baseline: Replay | None


@dataclass(frozen=True, slots=True)
class BlastPage:
    radius: BlastRadius
    what: str
    tally: Tally
    sentence: str
    filters: list[tuple[str, str, int]]  # verdict, its name, how many turns
    cards: list[Card]
    erased: int
    next_page: int
    failed: Sequence[Replay]


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be tried."""

    articles: list[Article]
    prompts: list[PromptVersion]
    tools: list[str]


def radii_page() -> list[Row]:
    """The newest radii; two queries."""
    radii = list(BlastRadius.objects.select_related("article", "prompt", "asked_by")[:LISTED])
    tallies = tallies_of(radii)
    return [Row(one, what_of(one), tallies[one.pk], sentence(one, tallies[one.pk])) for one in radii]


def choices() -> Choices:
    versions = PromptVersion.objects.filter(is_active=False).defer("text").order_by("-number")
    return Choices(
        articles=list(Article.objects.filter(status=Article.Status.PUBLISHED).only("title", "slug").order_by("title")),
        prompts=sorted(versions, key=lambda version: NAMES.index(version.name)),
        tools=sorted(catalogue()),
    )


def what_of(radius: BlastRadius) -> str:
    """The change in a few words."""
    match radius.kind:
        case BlastRadius.Kind.ARTICLE:
            title = radius.draft.get("title", "an article")
            if radius.draft.get("status") != Article.Status.PUBLISHED:
                return f"{title}, taken out of the help centre"
            return title if radius.article else f"{title}, a new article"
        case BlastRadius.Kind.PROMPT:
            return f"{radius.prompt.name}, version {radius.prompt.number}" if radius.prompt else "a prompt that is gone"
    return f"{radius.tool}, {'disabled' if radius.tool_as == BlastRadius.ToolAs.OFF else 'as its code is here'}"


def draft_changes(radius: BlastRadius) -> list[tuple[str, list[Line]]]:
    """Each field of an article that the draft changes, with the lines that differ."""
    if radius.kind != BlastRadius.Kind.ARTICLE:
        return []
    before = draft_of(radius.article) if radius.article else {}
    return [
        (name, list(compared(before.get(name, ""), value)))
        for name, value in radius.draft.items()
        if value.strip() != before.get(name, "").strip()
    ]


def blast_page(radius: BlastRadius, verdict: str = "", page: int = 1) -> BlastPage:
    """One radius; the turns of one verdict, or those that change anything, the gravest first. Some five queries, and
    three more for each turn shown."""
    tally = tallies_of([radius])[radius.pk]
    mine = Replay.objects.filter(radius=radius, is_baseline=False).select_related("turn__conversation")
    wanted = [verdict] if verdict in VERDICTS else [OTHERWISE, WORDED]
    rows = mine.filter(verdict__in=wanted).defer("turn__checkpoint").order_by("created_at", "pk")
    ranked = sorted(rows.exclude(notes=[ERASED]), key=lambda one: VERDICTS.index(one.verdict))
    start = (max(page, 1) - 1) * SHOWN
    return BlastPage(
        radius=radius,
        what=what_of(radius),
        tally=tally,
        sentence=sentence(radius, tally),
        filters=[(one, NAMED[one], tally.of(one)) for one in VERDICTS],
        cards=_cards(radius, ranked[start : start + SHOWN]),
        erased=mine.filter(notes=[ERASED]).count(),
        next_page=page + 1 if len(ranked) > start + SHOWN else 0,
        failed=list(mine.filter(state=Replay.State.FAILED).exclude(notes=[ERASED])[:SHOWN]),
    )


def marked(before: str, after: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Both texts as sentences, each with whether it differs from the other side's."""
    old, new = sentences(before), sentences(after)
    differs = ([True] * len(old), [True] * len(new))
    for block in SequenceMatcher(a=old, b=new, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            differs[0][block.a + offset] = differs[1][block.b + offset] = False
    return list(zip(old, differs[0], strict=True)), list(zip(new, differs[1], strict=True))


def _cards(radius: BlastRadius, replays: Sequence[Replay]) -> list[Card]:
    turns = [one.turn_id for one in replays]
    baselines = {one.turn_id: one for one in Replay.objects.filter(radius=radius, is_baseline=True, turn__in=turns)}
    said = _said(turns)
    return [_card(radius, one, baselines.get(one.turn_id), said) for one in replays]


def _card(
    radius: BlastRadius, replay: Replay, baseline: Replay | None, said: dict[tuple[UUID | None, str], str]
) -> Card:
    replay.radius = radius
    before, after = marked(said.get((replay.turn_id, "assistant"), ""), replay.text)
    return Card(
        replay=replay,
        asked=said.get((replay.turn_id, "customer"), ""),
        reasons=verdict_on(replay, baseline).reasons,
        before=before,
        after=after,
        outcome=replay.turn.state,
        baseline=baseline,
    )


def _said(turns: Sequence[UUID]) -> dict[tuple[UUID | None, str], str]:
    """What was asked and answered, by turn and role."""
    found: dict[tuple[UUID | None, str], str] = {}
    messages = Message.objects.filter(turn_id__in=turns, role__in=[Message.Role.CUSTOMER, Message.Role.ASSISTANT])
    for turn, role, text in messages.order_by("seq").values_list("turn_id", "role", "text"):
        found[turn, role] = "\n\n".join(filter(None, (found.get((turn, role), ""), text)))
    return found
