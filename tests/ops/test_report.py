"""The lead's report: figures by team and person, resolutions, questions without an answer, any span, page and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support_agent.models import ToolCall, Turn
from support_agent.ops.periods import Period
from support_agent.ops.report import duration
from tests.cast import Cast
from tickets import hours
from tickets.models import Conversation, Escalation, Resolution, Survey, Team, User
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_post, message_staff

pytestmark = pytest.mark.django_db
PAGE = "/admin/report/"
NOON = datetime(2026, 10, 14, 19, 0, tzinfo=UTC)  # a Wednesday, noon in Portland
OCTOBER = {"month": "2026-10"}
Made = Callable[..., Conversation]


def moved(record: Any, **times: Any) -> None:
    """Rows are made now; the report is about then."""
    type(record).objects.filter(pk=record.pk).update(**times)


@pytest.fixture
def made(cast: Cast) -> Made:
    def make(
        staff: User | None,
        *,
        at: datetime = NOON,
        reply: float | None = 3,
        spent: float = 20,
        rating: int | None = None,
        team: Team | None = None,
    ) -> Conversation:
        """An escalation taken a minute after it began, answered after `reply` minutes and ended `spent` after."""
        team = team or cast.team
        conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
        moved(conversation, team=team, status="closed")
        taken = at + timedelta(minutes=1)
        replied = at + timedelta(minutes=reply) if reply is not None else None
        escalation = Escalation.objects.create(
            conversation=conversation, reason="asked", team=team, due_at=hours.due_at(at), claimed_by=staff,
            claimed_at=taken if staff else None, first_reply_at=replied, ended_at=taken + timedelta(minutes=spent),
            status="closed",
        )  # fmt: skip
        moved(escalation, created_at=at)
        if staff is not None:
            moved(message_staff(conversation=conversation, staff=staff, text="Here."), created_at=replied or taken)
        if rating is not None:
            Survey.objects.create(
                conversation=conversation, state="answered", rating=rating, answered_at=at + timedelta(hours=1)
            )
        return conversation

    return make


def row(client: Client, name: str, group: str = "people", **query: str) -> Any:
    report = client.get(PAGE, query or OCTOBER).context["report"]
    return next(row for row in getattr(report, group) if row.name == name)


def test_each_has_their_figures(client: Client, cast: Cast, made: Made) -> None:
    for reply in (2, 4, 6, 8, 40):
        made(cast.agent, reply=reply, spent=10, rating=4 if reply == 2 else None)
    made(cast.lead, reply=1, spent=50, rating=1)
    client.force_login(cast.lead)
    agent, lead, team = row(client, "Agent"), row(client, "Lead"), row(client, "Billing", "teams")
    assert (agent.handled, agent.first_reply, agent.handling) == (5, 360, 600)
    assert 8 * 60 < agent.first_reply_p90 < 40 * 60
    assert (agent.sla, agent.sla_of) == (0.8, 5)
    assert (agent.csat, lead.csat) == (4, 1)
    assert (team.handled, team.first_reply, team.sla_of, team.csat) == (6, 300, 6, 2.5)
    page = client.get(PAGE, OCTOBER).content.decode()
    assert "6 min" in page
    assert "80%" in page


def test_nights_do_not_count_as_waiting(client: Client, cast: Cast, made: Made) -> None:
    closing = hours.next_opening(NOON) - timedelta(hours=14)  # six in the evening before
    made(cast.agent, at=closing - timedelta(minutes=4), reply=14 * 60 + 10)
    client.force_login(cast.lead)
    assert row(client, "Agent").first_reply == 10 * 60
    assert row(client, "Agent").sla == 1.0


def test_a_late_reply_stays_late_and_what_needed_none_is_not_judged(client: Client, cast: Cast, made: Made) -> None:
    moved(made(cast.agent, reply=2).escalations.get(), breached_at=NOON)  # it went back to the queue in between
    made(cast.agent, reply=None, spent=3)
    made(cast.agent, reply=None, spent=200)
    client.force_login(cast.lead)
    assert (row(client, "Agent").sla, row(client, "Agent").sla_of) == (0.0, 2)


def test_whoever_wrote_handled_it_also_without_an_escalation(client: Client, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner)
    for _ in range(2):
        moved(message_staff(conversation=conversation, staff=cast.agent, text="Hello."), created_at=NOON)
    client.force_login(cast.lead)
    assert row(client, "Agent").handled == 1


def resolved(cast: Cast, kind: str, staff: User | None = None, *, revoked: bool = False) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner)
    moved(conversation, team=cast.team)
    Resolution.objects.create(
        conversation=conversation, kind=kind, staff=staff, at=NOON, revoked_at=NOON + timedelta(1) if revoked else None
    )


def test_confirmed_and_assumed_with_and_without_a_person_stay_apart(client: Client, cast: Cast) -> None:
    for kind, staff, times in (("confirmed", None, 3), ("assumed", None, 2), ("confirmed", cast.agent, 1)):
        for _ in range(times):
            resolved(cast, kind, staff)
    resolved(cast, "assumed", cast.agent, revoked=True)
    client.force_login(cast.ops)
    report = client.get(PAGE, OCTOBER).context["report"]
    alone, together = report.alone, report.with_person
    assert (alone.confirmed, alone.assumed, alone.revoked) == (3, 2, 0)
    assert (together.confirmed, together.assumed, together.revoked) == (1, 0, 1)
    assert row(client, "Agent").reopened == row(client, "Billing", "teams").reopened == 1
    figures = {figure.label: figure for figure in client.get(PAGE, OCTOBER).context["figures"]}
    assert (figures["Resolved"].value, figures["Resolved"].note) == ("6", "4 confirmed, 2 assumed")


def asked(cast: Cast, text: str, topic: str = "", *, doubtful: bool = False) -> Turn:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner)
    turn = Turn.objects.create(
        conversation=conversation, surface="signed_in", state="answered", topic=topic, doubtful=doubtful
    )
    moved(turn, created_at=NOON)
    message_post(conversation=conversation, client_message_id=uuid4(), text=text, turn_id=turn.pk)
    return turn


def searched(turn: Turn, status: str) -> None:
    call = ToolCall.objects.create(
        turn=turn, conversation=turn.conversation, tool="search_knowledge_base", tool_use_id="x", arguments={},
        status=status, idempotency_key=str(uuid4()),
    )  # fmt: skip
    moved(call, created_at=NOON)


def test_questions_without_an_answer_stand_under_their_topic(client: Client, cast: Cast, made: Made) -> None:
    first, second = asked(cast, "Do you rent  tents?", "rental"), asked(cast, "do you rent tents?", "rental")
    for turn in (first, second):
        searched(turn, "not_found")
    searched(asked(cast, "How long is delivery?", "delivery"), "success")
    asked(cast, "It does the thing again <b>", "watch", doubtful=True)
    handed = asked(cast, "Firmware E-42", "watch")
    escalation = Escalation.objects.create(
        conversation=handed.conversation, reason="unsure", team=cast.team, due_at=NOON, status="closed"
    )
    moved(escalation, created_at=NOON + timedelta(seconds=5))
    client.force_login(cast.lead)
    answer = client.get(PAGE, OCTOBER)
    topics = {topic.name: topic for topic in answer.context["topics"]}
    assert {name: topic.count for name, topic in topics.items()} == {"rental": 2, "watch": 2}
    assert [question.times for question in topics["rental"].questions] == [2]
    page = answer.content.decode()
    assert f"/admin/inbox/{first.conversation_id}/" in page
    assert f"/admin/inbox/{second.conversation_id}/" in page
    assert "again &lt;b&gt;" in page
    assert "handed over, unsure" in page
    assert "How long is delivery?" not in page


def test_an_agent_sees_their_own_line_alone(client: Client, cast: Cast, made: Made) -> None:
    made(cast.agent, rating=5)
    made(cast.lead, rating=1)
    searched(asked(cast, "Do you rent tents?", "rental"), "not_found")
    resolved(cast, "assumed", cast.lead)
    client.force_login(cast.agent)
    answer = client.get(PAGE, OCTOBER)
    report = answer.context["report"]
    assert [line.name for line in report.people] == ["Agent"]
    assert report.teams == []
    assert (report.total.handled, report.total.csat, report.with_person.resolved) == (1, 5, 0)
    page = answer.content.decode()
    assert "Do you rent" not in page
    assert "Lead" not in page.partition("<main")[2]
    exported = client.get(f"{PAGE}export.csv", OCTOBER).getvalue().decode()
    assert '"mine","Agent",' in exported
    assert "everybody" not in exported.lower()
    assert "Lead" not in exported
    assert "rental" not in exported


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}export.csv"])
def test_customers_and_strangers_are_sent_to_the_sign_in(path: str, client: Client, cast: Cast) -> None:
    assert client.get(path).status_code == 302
    client.force_login(cast.owner_user)
    assert client.get(path).status_code == 302
    client.force_login(cast.agent)
    assert client.post(path).status_code == 405
    cast.agent.groups.clear()
    assert client.get(path).status_code == 403


def test_the_csv_is_the_page(client: Client, cast: Cast, made: Made) -> None:
    for reply in (2, 4, 6):
        made(cast.agent, reply=reply, spent=10, rating=4)
    moved(cast.agent.staff_profile, display_name="=cmd()")
    resolved(cast, "confirmed", None)
    searched(asked(cast, "Do you rent tents?", "rental"), "not_found")
    client.force_login(cast.lead)
    answer = client.get(f"{PAGE}export.csv", OCTOBER)
    assert 'filename="report-2026-10-01-2026-10-31.csv"' in answer["Content-Disposition"]
    head, *rows = csv.reader(io.StringIO(answer.getvalue().decode()))
    lines = {(line[0], line[1]): dict(zip(head, line, strict=False)) for line in rows}
    agent = lines["person", "'=cmd()"]
    assert lines["outcome", "The assistant alone"]["sla of"] == "", "an empty cell stays empty"
    assert agent["first reply median (min)"] == "4.0"
    assert (agent["sla kept (%)"], agent["csat"], agent["ratings"]) == ("100.0", "4.0", "3")
    assert lines["outcome", "The assistant alone"]["resolved, confirmed"] == "1"
    assert ("unanswered", "rental") in lines
    assert "tents?" not in answer.getvalue().decode(), "no words of customers"


def test_an_empty_span_says_so(client: Client, cast: Cast) -> None:
    client.force_login(cast.lead)
    page = client.get(PAGE, {"month": "2026-03"}).content.decode()
    assert "No conversation reached a person in this span" in page
    assert "March 2026" in page
    client.force_login(cast.agent)
    assert "You have taken over no conversation" in client.get(PAGE).content.decode()


def test_compared_with_the_span_before(client: Client, cast: Cast, made: Made) -> None:
    made(cast.agent, reply=2)
    for _ in range(2):
        made(cast.agent, at=datetime(2026, 9, 16, 19, tzinfo=UTC), reply=5)
    client.force_login(cast.lead)
    figures = {figure.label: figure for figure in client.get(PAGE, OCTOBER).context["figures"]}
    assert figures["Handled by people"].change == "−50%"
    assert (figures["First reply, median"].change, figures["First reply, median"].mood) == ("−3 min", "good")
    by_days = {"from": "2026-10-14", "to": "2026-10-14"}
    assert row(client, "Agent", **by_days).handled == 1
    assert client.get(PAGE, by_days).context["period"].before_first == date(2026, 10, 13)


def test_many_rows_take_as_many_queries_as_one(client: Client, cast: Cast, made: Made) -> None:
    client.force_login(cast.lead)
    counts = []
    for more in (1, 6):
        for _ in range(more):
            made(cast.agent, rating=3)
            made(cast.lead)
            resolved(cast, "assumed", cast.agent)
            searched(asked(cast, f"Do you rent {more} tents?", f"topic {more}"), "not_found")
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE, OCTOBER)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 28


TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("query", "first", "last", "before"),
    [
        ({}, "2026-11-01", "2026-11-21", ("2026-10-01", "2026-10-21")),
        ({"month": "2026-10"}, "2026-10-01", "2026-10-31", ("2026-09-01", "2026-09-30")),
        ({"month": "2026-01"}, "2026-01-01", "2026-01-31", ("2025-12-01", "2025-12-31")),
        ({"month": "2026-13"}, "2026-11-01", "2026-11-21", ("2026-10-01", "2026-10-21")),
        ({"from": "2026-10-10", "to": "2026-10-19"}, "2026-10-10", "2026-10-19", ("2026-09-30", "2026-10-09")),
        ({"from": "2026-10-19", "to": "2026-10-10"}, "2026-10-10", "2026-10-19", ("2026-09-30", "2026-10-09")),
        ({"from": "nonsense", "to": "\x00"}, "2026-11-01", "2026-11-21", ("2026-10-01", "2026-10-21")),
        ({"from": "2001-01-01", "to": "2026-10-10"}, "2001-01-01", "2002-01-02", ("1999-12-31", "2000-12-31")),
    ],
)
def test_any_month_or_span(query: dict[str, str], first: str, last: str, before: tuple[str, str]) -> None:
    period = Period.read(query, TODAY)
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)
    assert (period.before_first.isoformat(), period.before_last.isoformat()) == before


def test_the_31st_is_compared_within_a_shorter_month() -> None:
    period = Period.read({}, date(2026, 3, 30))
    assert (period.before_first, period.before_last) == (date(2026, 2, 1), date(2026, 2, 28))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "–"),
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3599, "1 h"),
        (11_100, "3 h 5 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_times_in_words(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told


def test_time_at_the_desk() -> None:
    friday_evening = datetime(2026, 10, 17, 0, 30, tzinfo=UTC)  # half past five
    monday = hours.next_opening(friday_evening)
    assert hours.open_between(friday_evening, monday + timedelta(minutes=10)) == timedelta(minutes=40)
    assert hours.open_between(monday, friday_evening) == timedelta(0)
