"""The verdict on a replay of a blast radius: seen from what the customer was told, and from what today would bring."""

from __future__ import annotations

from support_agent.agent.claims import Claim
from support_agent.models import BlastRadius, Replay, Step, Turn
from support_agent.runtime.blast_verdict import DRIFT, OTHERWISE, Judged, Went, facts, judged, missing, went
from support_agent.runtime.step_json import in_order, of_row
from tickets.models import Message

ALREADY = "today it would go this way without the change, too"
UNSTEADY = "without the change it goes otherwise, too, and each time in another way"


def went_of_turn(turn: Turn) -> Went:
    """As it was; two queries."""
    said = Message.objects.filter(turn_id=turn.pk, role=Message.Role.ASSISTANT).first()
    steps = [of_row(step) for step in in_order(Step.objects.filter(turn=turn))]
    return went(turn.state, said.text if said else "", said.sources if said else (), steps)


def went_of_replay(replay: Replay) -> Went:
    return went(replay.outcome, replay.text, replay.sources, replay.steps)


def verdict_on(replay: Replay, baseline: Replay | None = None) -> Judged:
    """Against the original and, where there is one that ended, the baseline; up to five queries."""
    before, after = went_of_turn(replay.turn), went_of_replay(replay)
    found = judged(before, after)
    if found.verdict != OTHERWISE or baseline is None or baseline.state != Replay.State.DONE:
        return found
    today = went_of_replay(baseline)
    if judged(today, after).verdict != OTHERWISE:
        return Judged(DRIFT, (ALREADY, *found.reasons))
    if judged(before, today).verdict == OTHERWISE and not _is_of_the_draft(replay, today, after):
        return Judged(DRIFT, (UNSTEADY, *found.reasons))
    return found


def _is_of_the_draft(replay: Replay, today: Went, after: Went) -> bool:
    """Whether a fact that only the changed way tells, or no longer tells, stands in one text of the article only."""
    radius = replay.radius
    if radius is None or radius.kind != BlastRadius.Kind.ARTICLE:
        return False
    drafted = _facts_of(radius.draft)
    present = facts(radius.article.body) if radius.article else []
    here, there = facts(after.text), facts(today.text)
    is_new = _share_any(missing(here, there), missing(drafted, present))
    return is_new or _share_any(missing(there, here), missing(present, drafted))


def _facts_of(draft: dict[str, str]) -> list[Claim]:
    return facts(draft.get("body", "")) if draft.get("status") == "published" else []


def _share_any(some: list[Claim], others: list[Claim]) -> bool:
    return len(missing(some, others)) < len(some)
