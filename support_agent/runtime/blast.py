"""Blast radius: past turns taken again under a change that is not live yet, to see which would be answered otherwise.

Each is a Replay (nothing it does reaches anybody) with a verdict of blast_verdict. One that comes out otherwise is
taken once more without the change: what would go the same way today anyway is drift, and not the change's doing.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from support_agent.models import BlastRadius, PromptVersion, RunState
from support_agent.runtime.blast_run import end, run_some
from support_agent.runtime.catalogue import catalogue
from support_agent.runtime.eval_rows import LIVE
from support_agent.runtime.replay import STARTERS, CannotReplay
from tickets.access import require_role
from tickets.db import in_db
from tickets.models import Article, Job, User
from tickets.queue import enqueue
from tickets.services.article_drafts import as_if_saved, draft_of
from tickets.services.audit import audit

__all__ = ["blast_create", "blast_enqueue", "blast_of", "blast_stop", "blasts_repair", "run_blast", "run_blast_job"]
Json = dict[str, Any]
MOST, MOST_DAYS = 200, 365
SLICE_S = 100.0  # other long jobs want their turn
QUIET = timedelta(minutes=2)


def blast_of(
    *,
    article: Article | None = None,
    draft: Json | None = None,
    prompt: PromptVersion | None = None,
    tool: str = "",
    tool_as: str = BlastRadius.ToolAs.OFF,
    days: int = 30,
    most: int = 50,
) -> BlastRadius:
    """A radius of one change, not yet saved: of an article (`draft`: its fields as they would be), of a version of a
    prompt or of a tool. Raises CannotReplay with a sentence that says what is wrong."""
    if not (1 <= days <= MOST_DAYS and 1 <= most <= MOST):
        raise CannotReplay(f"Days are 1 to {MOST_DAYS}, turns 1 to {MOST}.")
    made = BlastRadius(prompt=prompt, days=days, most=most)
    if draft is not None:
        made.kind, made.article, made.draft = BlastRadius.Kind.ARTICLE, article, _checked(article, draft)
    elif prompt is not None:
        made.kind = BlastRadius.Kind.PROMPT
    else:
        if tool not in (known := catalogue()):
            raise CannotReplay(f"There is no tool “{tool[:40]}”; there are {', '.join(sorted(known))}.")
        if tool_as not in BlastRadius.ToolAs.values:
            raise CannotReplay(f"A tool is tried as {' or '.join(BlastRadius.ToolAs.values)}.")
        made.kind, made.tool, made.tool_as = BlastRadius.Kind.TOOL, tool, tool_as
    return made


def _checked(article: Article | None, draft: Json) -> Json:
    """The draft with all its fields, over the article's present ones; it could be saved, and changes something."""
    before = draft_of(article) if article else {}
    whole = {**before, **{name: str(value).replace("\r\n", "\n") for name, value in draft.items()}}
    if article is not None and whole["slug"] != article.slug:
        raise CannotReplay("An article keeps its slug: links and citations point at it.")
    if _meant(whole) == _meant(before):
        raise CannotReplay("The draft says what the article says: nothing would change.")
    if "published" not in (whole.get("status"), before.get("status")):
        raise CannotReplay("Neither the article nor the draft is published, so nobody would see it.")
    try:
        with as_if_saved(whole):
            return whole
    except (ValidationError, TypeError, KeyError) as problem:
        raise CannotReplay(f"The draft could not be saved: {_said(problem)}") from None


def _meant(draft: Json) -> Json:
    """Its fields without what makes no difference to a reader."""
    words = ", ".join(filter(None, map(str.strip, draft.get("keywords", "").split(","))))
    return {**{name: value.strip() for name, value in draft.items()}, "keywords": words}


def _said(problem: Exception) -> str:
    if isinstance(problem, ValidationError) and hasattr(problem, "message_dict"):
        return "; ".join(f"{name}: {' '.join(told)}" for name, told in problem.message_dict.items())
    return "title, slug, category and text are needed."


@transaction.atomic
def blast_create(*, staff: User | None = None, **change: Any) -> BlastRadius:
    """A radius to be run, of what blast_of takes. Raises NotAllowed, CannotReplay."""
    if staff is not None:
        require_role(staff, *STARTERS)
    made = blast_of(**change)
    made.asked_by = staff
    made.save()
    if staff is not None:
        what = made.tool or made.draft.get("slug") or made.prompt_id
        changes = {"kind": (None, made.kind), "of": (None, what), "most": (None, made.most)}
        audit(actor=staff, action="blast.start", obj=made, changes=changes)
    return made


@transaction.atomic
def blast_enqueue(*, staff: User, **change: Any) -> BlastRadius:
    """As blast_create, and a worker runs it."""
    made = blast_create(staff=staff, **change)
    enqueue(run_blast_job, str(made.pk), queue="long")
    return made


@transaction.atomic
def blast_stop(*, radius: BlastRadius, staff: User) -> None:
    """Begin no further replay; those under way end. Nothing happens when it has ended already."""
    require_role(staff, *STARTERS)
    locked = BlastRadius.objects.select_for_update().get(pk=radius.pk)
    if locked.state not in LIVE:
        return
    audit(actor=staff, action="blast.stop", obj=locked, changes={"state": (locked.state, RunState.FAILED)})
    end(locked.pk, f"Stopped by {staff.get_username()}.")


def run_blast_job(radius_id: str) -> None:
    """The job: as much as fits into its time; the next one goes on."""
    if asyncio.run(run_some(UUID(radius_id), most_s=SLICE_S)):
        with transaction.atomic():
            enqueue(run_blast_job, radius_id, queue="long")


async def run_blast(radius_id: UUID, model: Any = None) -> BlastRadius:
    """Run it to its end here and now; faults end as `failed`."""
    await run_some(radius_id, model)
    return await in_db(BlastRadius.objects.get, pk=radius_id)


def blasts_repair() -> int:
    """A radius whose job is gone goes on by another; how many."""
    still = BlastRadius.objects.filter(state__in=LIVE, created_at__lt=timezone.now() - QUIET)
    asked = Job.objects.filter(function=f"{run_blast_job.__module__}.{run_blast_job.__qualname__}")
    taken = {arguments[0] for arguments in asked.values_list("arguments", flat=True)}
    lost = [radius for radius in still[:100] if str(radius.pk) not in taken]
    for radius in lost:
        with transaction.atomic():
            enqueue(run_blast_job, str(radius.pk), queue="long")
    return len(lost)
