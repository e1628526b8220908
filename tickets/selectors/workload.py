"""Who could take a conversation now, and how much each of them has already."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Max, Q
from django.utils import timezone

from tickets.models import Availability, Conversation, Escalation, Role, StaffProfile, Team, User

ANSWERERS = (Role.AGENT, Role.LEAD, Role.ADMIN)
FALLBACK_TEAM = "support"
PRESENT_WITHIN = timedelta(minutes=3)  # an inbox not open for longer counts as away
IDLE_WITHIN = timedelta(days=2)
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Load:
    """One person's work: conversations they have or were assigned; `idle_since` is when they were given the last."""

    user: User
    team_id: UUID | None
    capacity: int
    held: int
    idle_since: datetime

    @property
    def is_free(self) -> bool:
        return self.held < self.capacity


def answerers() -> Q:
    """The users who may answer customers."""
    return Q(is_active=True, is_staff=True) & (Q(groups__name__in=ANSWERERS) | Q(is_superuser=True))


def may_answer(user: User) -> bool:
    """Whether this person may answer customers."""
    return User.objects.filter(answerers(), pk=user.pk).exists()


def teams_with_people() -> set[str]:
    """The slugs of the teams somebody works in, here or away."""
    people = StaffProfile.objects.filter(user__in=User.objects.filter(answerers()).values("pk"), team__isnull=False)
    return set(people.values_list("team__slug", flat=True))


def members_of(team: Team) -> list[User]:
    """Who works in a team, here or away."""
    people = User.objects.filter(answerers(), staff_profile__team=team).distinct()
    return list(people.order_by("username"))


def leads() -> list[User]:
    """Who answers for the desk: its leads, or where there is none its admins."""
    staff = User.objects.filter(is_active=True, is_staff=True)
    found = staff.filter(groups__name=Role.LEAD) or staff.filter(Q(groups__name=Role.ADMIN) | Q(is_superuser=True))
    return list(found.distinct().order_by("username"))


def loads_available(now: datetime | None = None) -> list[Load]:
    """Everybody who is available with their inbox open, whatever their capacity; four queries."""
    now = now or timezone.now()
    people = User.objects.filter(answerers()).values("pk")
    profiles = list(
        StaffProfile.objects.select_related("user").filter(
            user__in=people, availability=Availability.AVAILABLE, seen_at__gte=now - PRESENT_WITHIN
        )
    )
    if not profiles:
        return []
    ids = [profile.user_id for profile in profiles]
    held, idle = held_by(ids, now), _last_given(ids, now)
    return [Load(p.user, p.team_id, p.capacity, held.get(p.user_id, 0), idle.get(p.user_id, NEVER)) for p in profiles]


def held_by(user_ids: Iterable[UUID], now: datetime | None = None) -> dict[UUID, int]:
    """How many conversations wait for each: taken over or assigned. What is snoozed or waits for its customer does not.

    Two queries, however many people.
    """
    ids = list(user_ids)
    now = now or timezone.now()
    asleep = Q(snoozed_until__gt=now) | Q(awaits_customer=True)
    taken = Conversation.objects.filter(status=Conversation.Status.HUMAN, assignee__in=ids).exclude(asleep)
    assigned = Escalation.objects.filter(status=Escalation.Status.WAITING, assigned_to__in=ids)
    counted: dict[UUID, int] = {}
    for user_id, number in [
        *taken.order_by().values_list("assignee").annotate(Count("pk")),
        *assigned.order_by().values_list("assigned_to").annotate(Count("pk")),
    ]:
        counted[user_id] = counted.get(user_id, 0) + number
    return counted


def choose(loads: Iterable[Load], team_id: UUID, *, passed: Collection[str] = ()) -> Load | None:
    """Whose turn it is: of the team, else of the general one, whoever has the least, then whoever waited longest."""
    free = [load for load in loads if load.is_free and str(load.user.pk) not in passed]
    ours = [load for load in free if load.team_id == team_id]
    if not ours:
        fallback = Team.objects.filter(slug=FALLBACK_TEAM).values_list("pk", flat=True).first()
        ours = [load for load in free if load.team_id == fallback and fallback is not None]
    return min(ours, key=lambda load: (load.held, load.idle_since, load.user.username), default=None)


def _last_given(ids: list[UUID], now: datetime) -> dict[UUID, datetime]:
    """When each was given something last, within two days."""
    recent = Escalation.objects.filter(created_at__gte=now - IDLE_WITHIN).order_by()
    latest: dict[UUID, datetime] = {}
    for person, moment in (("claimed_by", "claimed_at"), ("assigned_to", "assigned_at")):
        found = recent.filter(**{f"{person}__in": ids}).values_list(person).annotate(Max(moment))
        for user_id, at in found:
            if at is not None:
                latest[user_id] = max(at, latest.get(user_id, NEVER))
    return latest
