"""Gap mining: each night the questions nobody could answer join their groups; whoever leads lets an article be drafted,
or says that none is wanted. What a published article answers by now is covered, until it is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from support_agent.models import Gap, GapQuestion
from support_agent.runtime.gap_collect import Asked, collected
from support_agent.runtime.gap_groups import centralities, grouped
from tickets.access import require_role
from tickets.audience import Readers, readers_of
from tickets.errors import Conflict
from tickets.models import Article, Role, User
from tickets.search import search
from tickets.search.embedder import Embedder, Vectors, get_embedder
from tickets.services.audit import audit

LOOKED_BACK = timedelta(days=7)  # feedback and judgements come later than the turn
KEPT = timedelta(days=180)
"""What nobody has asked for so long is no gap any more."""
ASKED_OF = 10  # questions of a group that a search is tried with
COVERS = 0.5  # the share of them that an article must answer first: more than this
SURE = 0.6
LOCK = 0x6A9500
MANAGERS = (Role.LEAD, Role.OPS, Role.ADMIN)
State = Gap.State


@dataclass(frozen=True, slots=True)
class Mined:
    """What a night did: questions that came, groups begun, covered, and back again."""

    questions: int = 0
    begun: int = 0
    covered: int = 0
    back: int = 0


def gaps_counted() -> QuerySet[Gap]:
    """Gaps, those that most customers asked for first: with `count` of questions, how many `customers` asked (a
    stranger's conversation counts as one), `first_at` and `last_at`."""
    return Gap.objects.annotate(
        count=Count("questions"),
        customers=Count("questions__conversation__customer", distinct=True)
        + Count("questions__conversation", filter=Q(questions__conversation__customer=None), distinct=True),
        first_at=Min("questions__asked_at"),
        last_at=Max("questions__asked_at"),
    ).order_by("-customers", "-count", "-last_at", "pk")


def gaps_mine(*, now: datetime | None = None) -> Mined:
    """The nightly job. Safe to run twice, and beside itself; without an embedder nothing is grouped."""
    now, embedder = now or timezone.now(), get_embedder()
    GapQuestion.objects.filter(asked_at__lt=now - KEPT).delete()
    Gap.objects.filter(questions=None).delete()
    asked = collected(now - LOOKED_BACK, now, embedder.languages) if embedder else []
    if embedder is None:
        return Mined()
    vectors = embedder.embed([one.text for one in asked]) if asked else np.empty((0, 0), dtype=np.float32)
    begun, back = _join(asked, vectors, embedder)
    return Mined(len(asked), begun, gaps_cover(), back)


@transaction.atomic
def _join(asked: list[Asked], vectors: Vectors, embedder: Embedder) -> tuple[int, int]:
    """Each question into its group: (groups begun, groups that are back)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    taken = set(
        GapQuestion.objects.filter(turn_id__in=[one.turn_id for one in asked]).values_list("turn_id", flat=True)
    )
    fresh = [at for at, one in enumerate(asked) if one.turn_id not in taken]
    if not fresh:
        return 0, 0
    members: dict[Gap, list[bytes]] = {}
    rows = GapQuestion.objects.filter(embedder=embedder.name).select_related("gap").order_by("gap__created_at", "gap")
    for row in rows:
        members.setdefault(row.gap, []).append(bytes(row.vector))
    gaps = list(members)
    places = grouped(vectors[fresh], [_vectors(members[gap]) for gap in gaps])
    old = len(gaps)
    gaps += [Gap(created_at=timezone.now()) for _ in range(max([old - 1, *places]) + 1 - old)]
    Gap.objects.bulk_create(gaps[old:])
    GapQuestion.objects.bulk_create(
        GapQuestion(
            gap=gaps[place], turn_id=asked[at].turn_id, conversation_id=asked[at].conversation_id, text=asked[at].text,
            why=asked[at].why, asked_at=asked[at].asked_at, vector=vectors[at].astype("<f4").tobytes(),
            embedder=embedder.name,
        )
        for at, place in zip(fresh, places, strict=True)
    )  # fmt: skip
    joined: dict[int, datetime] = {}
    for at, place in zip(fresh, places, strict=True):
        joined[place] = max(asked[at].asked_at, joined.get(place, asked[at].asked_at))
    back = 0
    for place, last in joined.items():
        gap = gaps[place]
        _centre(gap)
        if gap.state == State.COVERED and gap.settled_at is not None and last > gap.settled_at:
            Gap.objects.filter(pk=gap.pk).update(state=State.OPEN, settled_at=None, is_back=True)
            back += 1
    return len(gaps) - old, back


def _centre(gap: Gap) -> None:
    rows = list(gap.questions.order_by("asked_at", "pk"))
    for row, value in zip(rows, centralities(_vectors([bytes(row.vector) for row in rows])), strict=True):
        row.centrality = float(value)
    GapQuestion.objects.bulk_update(rows, ["centrality"])


def _vectors(rows: list[bytes]) -> Vectors:
    return np.array([np.frombuffer(row, dtype="<f4") for row in rows], dtype=np.float32)


def gaps_cover() -> int:
    """Mark what a published article answers first by now, for those who asked; how many."""
    covered = 0
    for gap in gaps_counted().filter(state__in=[State.OPEN, State.DRAFTED]).select_related("article"):
        if (article := covering(gap)) is not None:
            changed = Gap.objects.filter(pk=gap.pk, state=gap.state).update(
                state=State.COVERED, article=article, settled_at=timezone.now(), is_back=False
            )
            covered += changed
    return covered


def covering(gap: Gap) -> Article | None:
    """The article that most of its questions find first, each as its own customer would: one that was changed after the
    last of them was asked, for what there was then did not help."""
    questions = list(gap.questions.select_related("conversation__customer").order_by("-asked_at")[:ASKED_OF])
    if not questions:
        return None
    last = questions[0].asked_at
    newer = {
        article.slug: article
        for article in Article.objects.filter(status=Article.Status.PUBLISHED, updated_at__gt=last)
    }
    if not newer:
        return None
    firsts = [_first(question.text, readers_of(question.conversation.customer)) for question in questions]
    for slug in dict.fromkeys(firsts):
        if slug in newer and firsts.count(slug) > COVERS * len(questions):
            return newer[slug]
    return None


def _first(text: str, readers: Readers) -> str:
    hits = search(text, readers=readers, limit=1, language="en")
    return hits[0].slug if hits and hits[0].score >= SURE else ""


@transaction.atomic
def gap_dismiss(*, gap: Gap, staff: User) -> None:
    """No article is wanted; it stays away, whoever asks. Nothing happens when that was said before."""
    _change(gap, staff, State.DISMISSED, "gap.dismiss")


@transaction.atomic
def gap_reopen(*, gap: Gap, staff: User) -> None:
    """An article is wanted after all, or another one."""
    _change(gap, staff, State.OPEN, "gap.reopen")


def _change(gap: Gap, staff: User, state: State, action: str) -> None:
    require_role(staff, *MANAGERS)
    locked = Gap.objects.select_for_update().get(pk=gap.pk)
    if locked.state == state:
        return
    if state == State.DISMISSED and locked.state == State.COVERED:
        raise Conflict("An article covers this by now.")
    audit(actor=staff, action=action, obj=locked, changes={"state": (locked.state, state)})
    locked.state, locked.settled_at = state, None if state == State.OPEN else timezone.now()
    locked.save(update_fields=["state", "settled_at"])
