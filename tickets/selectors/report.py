"""The lead's figures over a span of time: by team, by person, and how conversations came out. Six queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone

from tickets import hours
from tickets.models import Escalation, Message, Resolution, StaffProfile, Survey, Team, User
from tickets.selectors.staff import staff_name

SAME_DAY = timedelta(hours=9)  # the desk is closed for longer than this between two days


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report; times in seconds, shares from 0 to 1, None where there is nothing to go by."""

    key: str
    name: str
    handled: int
    first_reply: float | None
    first_reply_p90: float | None
    handling: float | None
    sla: float | None
    sla_of: int
    csat: float | None
    ratings: int
    reopened: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many conversations came out resolved, by whom; `revoked` were taken back and are in neither."""

    name: str
    confirmed: int
    assumed: int
    revoked: int
    csat: float | None
    ratings: int

    @property
    def resolved(self) -> int:
        return self.confirmed + self.assumed


@dataclass(frozen=True, slots=True)
class Report:
    """`total` counts a conversation once, however many people and teams had it."""

    total: Row
    teams: list[Row]
    people: list[Row]
    with_person: Outcome
    alone: Outcome
    waiting: int

    @property
    def is_empty(self) -> bool:
        return not (self.teams or self.people or self.with_person.resolved or self.alone.resolved)


@dataclass
class Tally:
    """What is gathered for one line."""

    conversations: set[UUID] = field(default_factory=set)
    replies: list[float] = field(default_factory=list)
    handling: list[float] = field(default_factory=list)
    kept: int = 0
    missed: int = 0
    ratings: list[int] = field(default_factory=list)
    reopened: int = 0

    def row(self, key: object, name: str) -> Row:
        judged = self.kept + self.missed
        return Row(
            key=str(key),
            name=name,
            handled=len(self.conversations),
            first_reply=median(self.replies) if self.replies else None,
            first_reply_p90=p90(self.replies),
            handling=median(self.handling) if self.handling else None,
            sla=self.kept / judged if judged else None,
            sla_of=judged,
            csat=mean(self.ratings),
            ratings=len(self.ratings),
            reopened=self.reopened,
        )


class _Gathering:
    """Three sets of tallies filled in one pass over each kind of record."""

    def __init__(self) -> None:
        self.total = Tally()
        self.teams: dict[UUID, Tally] = defaultdict(Tally)
        self.people: dict[UUID, Tally] = defaultdict(Tally)

    def of(self, team_id: UUID | None, staff_id: UUID | None) -> Iterable[Tally]:
        yield self.total
        if team_id is not None:
            yield self.teams[team_id]
        if staff_id is not None:
            yield self.people[staff_id]


def report_of(start: datetime, end: datetime, *, only: User | None = None) -> Report:
    """The figures from start up to end; `only` one person's, whose own line is then also the total."""
    gathered = _Gathering()
    waiting = _escalations(gathered, start, end, only)
    _written(gathered, start, end, only)
    ratings = _ratings(gathered, start, end, only)
    outcomes = _outcomes(gathered, start, end, only)
    teams = {} if only else dict(Team.objects.values_list("pk", "name"))
    people = names_of(gathered.people)
    return Report(
        total=gathered.total.row("total", staff_name(only) if only else "Everybody"),
        teams=_rows(gathered.teams, teams),
        people=_rows(gathered.people, people),
        with_person=_outcome("With a person", outcomes[True], ratings[True]),
        alone=_outcome("The assistant alone", outcomes[False], ratings[False]),
        waiting=waiting,
    )


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """How the desk names these people."""
    found = User.objects.filter(pk__in=list(ids)).order_by()
    shown = dict(StaffProfile.objects.filter(user__in=list(ids)).values_list("user_id", "display_name"))
    return {user.pk: shown.get(user.pk) or user.get_full_name() or user.username for user in found}


def _escalations(gathered: _Gathering, start: datetime, end: datetime, only: User | None) -> int:
    """Of each that began in the span: who had it, how fast, how long, in time or not. How many nobody took."""
    found = Escalation.objects.filter(created_at__gte=start, created_at__lt=end).order_by()
    if only is not None:
        found = found.filter(claimed_by=only)
    now, untaken = timezone.now(), 0
    fields = ("conversation_id", "team_id", "claimed_by_id", "created_at", "first_reply_at", "claimed_at",
              "ended_at", "due_at", "breached_at")  # fmt: skip
    for conversation, team, staff, created, replied, claimed, ended, due, breached in found.values_list(*fields):
        untaken += claimed is None and ended is None
        wait = waited(created, replied) if replied else None
        spent = (ended - claimed).total_seconds() if claimed and ended else None
        kept = in_time(replied, due, breached, min(ended or now, now))
        for tally in gathered.of(team, staff):
            if claimed is not None:
                tally.conversations.add(conversation)
            if wait is not None:
                tally.replies.append(wait)
            if spent is not None:
                tally.handling.append(spent)
            tally.kept += kept is True
            tally.missed += kept is False
    return untaken


def waited(created: datetime, replied: datetime) -> float:
    """The seconds of opening hours between the two; mostly both lie in the same day's, which is quick to tell."""
    if replied - created < SAME_DAY and hours.is_open(created) and hours.is_open(replied):
        return (replied - created).total_seconds()
    return hours.open_between(created, replied).total_seconds()


def in_time(replied: datetime | None, due: datetime, breached: datetime | None, until: datetime) -> bool | None:
    """Whether the promise of a first reply was kept; None where it was never needed, or is not yet due."""
    if breached is not None:
        return False
    if replied is not None:
        return replied <= due
    return False if due < until else None


def _written(gathered: _Gathering, start: datetime, end: datetime, only: User | None) -> None:
    """Whoever wrote in a conversation handled it, also without an escalation."""
    found = Message.objects.filter(
        role=Message.Role.STAFF, created_at__gte=start, created_at__lt=end, staff__isnull=False
    )
    if only is not None:
        found = found.filter(staff=only)
    pairs = found.order_by().values_list("conversation_id", "conversation__team_id", "staff_id").distinct()
    for conversation, team, staff in pairs:
        for tally in gathered.of(team, staff):
            tally.conversations.add(conversation)


def _ratings(gathered: _Gathering, start: datetime, end: datetime, only: User | None) -> dict[bool, list[int]]:
    """What customers gave in the span; a person's is that of who wrote to them last. By whether one did."""
    last = Message.objects.filter(conversation=OuterRef("conversation"), role=Message.Role.STAFF).order_by("-seq")
    found = Survey.objects.filter(rating__isnull=False, answered_at__gte=start, answered_at__lt=end).order_by()
    found = found.annotate(served_by=Subquery(last.values("staff")[:1]))
    if only is not None:
        found = found.filter(served_by=only.pk)
    ratings: dict[bool, list[int]] = {True: [], False: []}
    counted = found.values_list("rating", "served_by", "conversation__team_id").annotate(Count("pk"))
    for rating, staff, team, number in counted:
        assert rating is not None, "asked for above"
        same = [rating] * number
        ratings[staff is not None] += same
        for tally in gathered.of(team if staff else None, staff):
            tally.ratings += same
    return ratings


def _outcomes(gathered: _Gathering, start: datetime, end: datetime, only: User | None) -> dict[bool, dict[str, int]]:
    """Resolutions of the span by whether a person took part: confirmed, assumed, and those taken back."""
    found = Resolution.objects.filter(at__gte=start, at__lt=end).order_by()
    if only is not None:
        found = found.filter(staff=only)
    counted: dict[bool, dict[str, int]] = {True: defaultdict(int), False: defaultdict(int)}
    grouped = found.values_list("kind", "staff_id", "conversation__team_id").annotate(
        standing=Count("pk", filter=Q(revoked_at=None)), taken_back=Count("revoked_at")
    )
    for kind, staff, team, standing, revoked in grouped:
        counted[staff is not None][kind] += standing
        counted[staff is not None]["revoked"] += revoked
        for tally in gathered.of(team if staff else None, staff):
            tally.reopened += revoked
    return counted


def _outcome(name: str, counted: dict[str, int], ratings: list[int]) -> Outcome:
    return Outcome(
        name,
        confirmed=counted[Resolution.Kind.CONFIRMED],
        assumed=counted[Resolution.Kind.ASSUMED],
        revoked=counted["revoked"],
        csat=mean(ratings),
        ratings=len(ratings),
    )


def _rows(tallies: dict[UUID, Tally], names: dict[UUID, str]) -> list[Row]:
    rows = [tally.row(key, names[key]) for key, tally in tallies.items() if key in names]
    return sorted(rows, key=lambda row: row.name.lower())


def mean(values: Sequence[int]) -> float | None:
    return sum(values) / len(values) if values else None


def p90(values: Sequence[float]) -> float | None:
    """Nine of ten are no longer than this."""
    if len(values) < 2:
        return values[0] if values else None
    ninth: Any = quantiles(values, n=10, method="inclusive")[8]
    return float(ninth)
