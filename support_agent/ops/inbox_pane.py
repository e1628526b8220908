"""The list pane of the inbox, ready to be shown: rows, tabs, filters, and the person's own state."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from support_agent.ops.selectors.inbox import (
    COUNTED,
    InboxPage,
    inbox_counts,
    inbox_page,
    newest_wait,
    staff_choices,
)
from support_agent.ops.selectors.inbox_filters import STATES, TABS, InboxFilter
from tickets.models import Availability, EscalationReason, Plan, StaffProfile, Team, User

LIST_FIELDS = {field.name for field in fields(InboxFilter)}
VIEWS = (
    ("Nobody has it yet", InboxFilter(assignee="nobody")),
    ("Waiting and still connected", InboxFilter(connected=True)),
    ("Mine with something new", InboxFilter(tab="mine", unread=True)),
    ("Enterprise customers waiting", InboxFilter(tab="all", plan=Plan.ENTERPRISE, state="waiting")),
    ("Money", InboxFilter(tab="all", reason=EscalationReason.MONEY)),
    ("Legal", InboxFilter(tab="all", reason=EscalationReason.LEGAL)),
    ("Snoozed", InboxFilter(tab="all", state="snoozed")),
    ("Waiting for the customer", InboxFilter(tab="all", state="awaits")),
    ("With the assistant", InboxFilter(tab="all", state="ai")),
)


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: str
    count: str
    query: str


@dataclass(frozen=True, slots=True)
class Pane:
    """`profile` is the viewer's own; `open_id` the conversation that stands beside the list."""

    by: InboxFilter
    shown: InboxPage
    tabs: list[Tab]
    waiting: int
    newest_wait: str
    profile: StaffProfile | None
    at_work: int
    open_id: UUID | None
    may_answer: bool
    teams: list[Team]
    people: list[StaffProfile]
    now: datetime

    @property
    def path(self) -> str:
        return f"/admin/inbox/{self.open_id}/" if self.open_id else "/admin/inbox/"

    @property
    def here(self) -> str:
        """The address of the page with this filter."""
        return f"{self.path}?{self.by.of_page(self.by.page)}"

    @property
    def row_query(self) -> str:
        return self.by.of_page(self.by.page)

    @property
    def newer(self) -> str:
        return self.by.of_page(self.by.page - 1) if self.by.page > 1 else ""

    @property
    def older(self) -> str:
        return self.by.of_page(self.by.page + 1) if self.shown.has_next else ""

    @property
    def unfiltered(self) -> str:
        return InboxFilter(tab=self.by.tab).as_query()

    @property
    def elsewhere(self) -> tuple[tuple[str, str], ...]:
        """The same search in other tabs, for when nothing is found in this one."""
        found = (("all open conversations", "all"), ("closed ones", "closed"))
        return tuple((label, self.by.of_tab(tab)) for label, tab in found if tab != self.by.tab)

    @property
    def views(self) -> list[tuple[str, str, bool]]:
        return [(label, view.as_query(), view == self.by) for label, view in VIEWS]

    @property
    def states(self) -> dict[str, str]:
        return STATES

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return list(EscalationReason.choices)

    @property
    def plans(self) -> list[tuple[str, str]]:
        return list(Plan.choices)

    @property
    def availabilities(self) -> list[tuple[str, str]]:
        return list(Availability.choices)


def pane_of(user: User, *, by: InboxFilter, open_id: UUID | None, may_answer: bool, now: datetime) -> Pane:
    """Everything the list shows, in a fixed number of queries."""
    profile = StaffProfile.objects.select_related("team").filter(user=user).first()
    team_id = profile.team_id if profile else None
    counts = inbox_counts(user, team_id, now)
    newest = newest_wait(team_id, user)
    return Pane(
        by=by,
        shown=inbox_page(by, user=user, team_id=team_id, now=now),
        tabs=[Tab(key, label, _shown(counts[key]), by.of_tab(key)) for key, label in TABS.items()],
        waiting=counts["waiting"],
        newest_wait=newest.isoformat() if newest else "",
        profile=profile,
        at_work=counts["at_work"],
        open_id=open_id,
        may_answer=may_answer,
        teams=list(Team.objects.all()),
        people=sorted(staff_choices(), key=lambda one: one.user_id != user.pk),  # oneself first
        now=now,
    )


def _shown(count: int) -> str:
    return f"{COUNTED}+" if count > COUNTED else str(count)
