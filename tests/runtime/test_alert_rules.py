"""The rules: what raises each kind, what does not, and that each has its section of the runbook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.text import slugify

from support_agent.agent.errors import LimitReached
from support_agent.models import Alert, Heartbeat, Spend, Switch, SystemLimit, Turn
from support_agent.runtime import alert_checks, alerts, alive, budgets, catalogue, tool_breakers
from support_agent.runtime.alert_checks import look
from support_agent.runtime.alert_rules import RULES
from support_agent.runtime.alert_watch import evaluate, watch_worker
from support_agent.runtime.controls import forget, switch_override
from tests.cast import Cast
from tests.ops.made import call, step, talk, turn
from tests.runtime.alerting import bring, only, subjects
from tests.stack import ROOT
from tickets.models import Conversation, Escalation, StaffProfile, Team
from tickets.workspace import DEFAULT

SHOP = DEFAULT.opening.zone
pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
OPEN = datetime(2026, 11, 18, 12, 0, tzinfo=SHOP)


@pytest.fixture(autouse=True)
def _all_alive(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    forget()
    for process in ("runner", "worker"):
        monkeypatch.setattr(alive, process, lambda: "ok")
    client = tool_breakers._redis()
    keys = list(client.scan_iter("breaker:*"))
    if keys:
        client.delete(*keys)
    yield
    forget()
    tool_breakers.note("lookup_order", failed=False)


def kinds(now: datetime | None = None) -> dict[str, str]:
    """What stands wrong: kind to text."""
    found, looked_at, failed = look(now)
    assert failed == []
    assert looked_at == RULES.keys()
    return {one.kind: one.text for one in found}


def test_nothing_is_wrong_at_first(cast: Cast) -> None:
    assert kinds() == {}


def test_every_kind_has_its_section_of_the_runbook() -> None:
    lines = (ROOT / "docs" / "runbook.md").read_text().splitlines()
    anchors = {slugify(line.lstrip("# ")) for line in lines if line.startswith("### ")}
    assert {rule.anchor for rule in RULES.values()} <= anchors
    documented = (ROOT / "docs" / "alerts.md").read_text()
    assert all(f"`{kind}`" in documented for kind in RULES)


def test_failed_turns_count_from_twenty_on_and_page_from_a_fifth_on(cast: Cast) -> None:
    conversation = talk(cast.owner)
    for number in range(19):
        turn(conversation, state="failed" if number < 2 else "answered")
    assert kinds() == {}
    turn(conversation)
    assert kinds()["turn_failures"] == "2 of 20 turns failed within the hour (10%)."
    assert not look()[0][0].severity
    for _ in range(4):
        turn(conversation, state="failed")
    assert look()[0][0].severity == "page"
    Turn.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    assert kinds() == {}


def test_failing_tools_are_told_apart(cast: Cast) -> None:
    one = turn(talk(cast.owner))
    for number in range(10):
        call(one, "lookup_order", status="degraded" if number < 2 else "success")
        call(one, "track_shipment", status="error" if number < 1 else "not_found")
    assert kinds() == {"tool_failures": "2 of 10 calls of lookup_order failed within the hour (20%)."}


def test_model_failures_warn_before_the_breaker_stops_everybody(cast: Cast) -> None:
    one = turn(talk(cast.owner), ago=MINUTE)
    for number in range(20):
        step(one, status="failed" if number < 3 else "ok")
    assert kinds() == {"model_failures": "3 of 20 model calls failed within ten minutes (15%)."}


def test_rejected_answers_name_the_prompt(cast: Cast) -> None:
    one = turn(talk(cast.owner), prompt_version="assistant-9")
    for number in range(20):
        step(one, "critic", status="failed" if number < 7 else "ok")
    [found] = look()[0]
    assert (found.kind, found.details) == ("acceptance", {"prompt": "assistant-9"})


def test_a_tools_breaker_stands_until_a_call_succeeds(cast: Cast) -> None:
    for _ in range(tool_breakers.FAILURES):
        assert kinds() == {}
        tool_breakers.note("lookup_order", failed=True)
    assert "lookup_order" in kinds()["tool_breaker"]
    tool_breakers.note("lookup_order", failed=False)
    assert kinds() == {}


def test_a_system_breaker_stands_until_it_is_overridden(cast: Cast) -> None:
    switch = Switch.objects.create(name="pause_new", source="breaker", reason="12 of 20 model calls failed.")
    Switch.objects.create(name="pin_small", source="staff", reason="saving", changed_by=cast.ops)
    [found] = look()[0]
    assert (found.kind, found.subject, found.severity) == ("breaker", "pause_new", "page")
    switch_override(switch=switch, staff=cast.ops, reason="known")
    assert kinds() == {}


def waits(due_at: datetime, status: str = "waiting", **values: object) -> None:
    Escalation.objects.create(
        conversation=talk(), reason="unsure", team=Team.objects.all()[0], due_at=due_at, status=status, **values
    )


def attended(until: datetime = OPEN + timedelta(days=1)) -> None:
    """Somebody has the inbox open all the while."""
    StaffProfile.objects.update(availability="available", seen_at=until)


def test_a_promise_of_time_is_missed_then_the_queue_is_too_old(cast: Cast) -> None:
    attended()
    waits(OPEN + MINUTE)
    assert kinds(OPEN) == {}
    assert kinds(OPEN + 2 * MINUTE) == {"sla": "1 customer waits past the promised time, the longest by 1 min."}
    assert kinds(OPEN + 33 * MINUTE).keys() == {"sla", "queue"}
    Escalation.objects.update(status="claimed")
    assert kinds(OPEN + 33 * MINUTE).keys() == {"sla"}
    Escalation.objects.update(first_reply_at=OPEN)
    assert kinds(OPEN + 33 * MINUTE) == {}


def test_a_long_queue_counts_while_the_desk_is_open(cast: Cast) -> None:
    attended()
    for _ in range(20):
        waits(OPEN + timedelta(days=2))
    assert kinds(OPEN) == {"queue": "20 customers wait for a person; 0 of them over 30 min past the promise."}
    assert kinds(OPEN.replace(hour=20)) == {}


def test_nobody_available_matters_while_the_desk_is_open_and_somebody_waits(cast: Cast) -> None:
    StaffProfile.objects.update(availability="away")
    assert kinds(OPEN) == {}
    waits(OPEN + timedelta(days=2))
    assert kinds(OPEN) == {"nobody": "1 customer waits and nobody is available."}
    assert kinds(OPEN.replace(hour=20)) == {}
    mine = StaffProfile.objects.filter(user=cast.agent)
    mine.update(availability="available", seen_at=OPEN - MINUTE)
    assert kinds(OPEN) == {}
    mine.update(seen_at=OPEN - 4 * MINUTE)  # the inbox is closed: nothing is routed to them
    assert kinds(OPEN).keys() == {"nobody"}


@pytest.mark.parametrize("rests", [{"snoozed_until": OPEN + timedelta(days=7)}, {"awaits_customer": True}])
def test_what_rests_waits_for_nobody(cast: Cast, rests: dict[str, object]) -> None:
    waits(OPEN - timedelta(hours=2))
    Conversation.objects.update(**rests)
    assert kinds(OPEN) == {}
    attended()
    waits(OPEN - MINUTE)
    [late] = [one for one in look(OPEN)[0] if one.kind == "sla"]
    assert late.text == "1 customer waits past the promised time, the longest by 1 min."
    assert late.details["late"] == f"{Team.objects.all()[0].name} 1"


def test_twice_as_many_who_wait_are_told_again_each_time(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    now = OPEN
    monkeypatch.setattr(alerts, "enqueue", lambda job, *args, **_: job(*args, now))  # the job, at once
    only()
    attended()
    told = []
    for more in (1, 1, 4, 6, 1):
        for _ in range(more):
            waits(OPEN - MINUTE)
        for _ in range(3):
            now += MINUTE
            evaluate(now)
            bring(now)
        told.append([subject for subject in subjects() if "past the promised" in subject])
    assert [len(subject) for subject in told] == [1, 0, 1, 1, 0], told
    assert told[2][0].startswith("[worse] 6 customers wait past the promised time")
    assert told[3][0].startswith("[worse] 12 customers")


def test_the_limit_in_force_counts_for_the_systems_hour(cast: Cast) -> None:
    now = timezone.now()
    Spend.objects.create(scope="system", key="all", period=now.strftime("%Y%m%d%H"), spent_usd=Decimal("8"))
    assert kinds() == {}
    SystemLimit.objects.create(period="hour", usd=Decimal("10"))
    forget()
    assert kinds() == {"budget": "80% of the system's limit of 10.00 USD an hour is spent."}


def test_a_turn_that_nobody_takes(cast: Cast) -> None:
    busy = talk(cast.owner)
    turn(busy, ago=5 * MINUTE, state="running")
    turn(busy, ago=4 * MINUTE, state="queued")
    assert kinds() == {}  # it waits for its own conversation
    turn(talk(cast.other), ago=timedelta(seconds=50), state="queued")
    assert kinds() == {}
    turn(talk(cast.other), ago=timedelta(seconds=70), state="queued")
    assert kinds()["turns"].startswith("1 turn waits for a runner")


def test_missing_processes_are_told_after_a_while_and_end_when_they_are_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    only()
    now = timezone.now()
    monkeypatch.setattr(alive, "runner", lambda: "no heartbeat")
    evaluate(now)
    evaluate(now + MINUTE)
    assert not Alert.objects.exists()  # a restart takes a moment
    evaluate(now + 2 * MINUTE)
    found = Alert.objects.get()
    assert (found.kind, found.severity) == ("runner", "page")
    monkeypatch.setattr(alive, "runner", lambda: "ok")
    for minute in (3, 4, 5, 6):
        evaluate(now + minute * MINUTE)
    assert Alert.objects.get().resolved_at is not None
    monkeypatch.setattr(alive, "runner", lambda: "no heartbeat")
    evaluate(now + 7 * MINUTE)
    assert Alert.objects.get().resolved_at is not None  # it waits anew
    evaluate(now + 60 * MINUTE)  # the product was down, and so was the look
    assert Alert.objects.count() == 1


def test_what_still_stands_after_a_long_silence_of_the_look_is_not_over(cast: Cast) -> None:
    waits(OPEN)
    for minutes in (1, 2, 3):
        evaluate(OPEN + minutes * MINUTE)
    found = Alert.objects.get()
    evaluate(OPEN + 25 * MINUTE)
    found.refresh_from_db()
    assert (found.resolved_at, found.seen_at) == (None, OPEN + 25 * MINUTE)


def test_a_look_that_fails_leaves_its_alerts_as_they_are(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(alert_checks, "CHECKS", ((frozenset({"jobs"}), broken),))
    Alert.objects.create(kind="jobs", key="k", subject="s", text="t", seen_at=now - timedelta(hours=1))
    evaluate(now)
    assert Alert.objects.get().resolved_at is None
    monkeypatch.setattr(alert_checks, "CHECKS", ((frozenset({"jobs"}), lambda now: iter(())),))
    evaluate(now)
    assert Alert.objects.get().resolved_at is not None


def broken(now: datetime) -> Iterator[alert_checks.Finding]:
    raise redis.ConnectionError("away")


def test_the_runner_notices_that_the_worker_is_gone_and_tells_it_itself(cast: Cast) -> None:
    only()
    now = timezone.now()
    assert watch_worker(now - 2 * MINUTE, now)  # just begun
    assert not watch_worker(now - 10 * MINUTE, now)  # nobody ever looked
    assert Alert.objects.get().kind == "worker"
    [mail] = subjects()
    assert mail.startswith("[page] Jobs have not been done for 10 min: ")
    assert not watch_worker(now - 10 * MINUTE, now + MINUTE)
    assert subjects() == []
    Heartbeat.objects.update_or_create(name="alerts", defaults={"kind": "alerts", "seen_at": now})
    assert watch_worker(now - 10 * MINUTE, now + MINUTE)


def test_a_look_costs_few_queries_however_much_there_is(cast: Cast) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            one = turn(talk(cast.owner))
            call(one, "lookup_order", status="error")
            waits(OPEN)
        catalogue.forget()
        with CaptureQueriesContext(connection) as queries:
            look(timezone.now())
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def limited(scope: str, spent: str, limit: str = "1.00") -> None:
    """Reserve 0.10 against one total of which so much is spent."""
    one = turn(talk(), state="running")
    total = budgets.Total(scope, "k", "2026-11-21", Decimal(limit))
    Spend.objects.create(scope=scope, key="k", period="2026-11-21", spent_usd=Decimal(spent))
    budgets._reserve_or_tell(one, [total], Decimal("0.10"))


@pytest.mark.parametrize(
    ("scope", "near", "full"),
    [("conversation", "info", "info"), ("customer", "warning", "warning"), ("surface", "warning", "page")],
)
def test_a_limit_that_is_near_and_one_that_is_reached(scope: str, near: str, full: str) -> None:
    limited(scope, "0.70")
    found = Alert.objects.get()
    assert (found.severity, found.text) == (near, f"80% of a {scope}'s limit of 1.00 USD is spent.")
    Spend.objects.all().delete()
    with pytest.raises(LimitReached):
        limited(scope, "0.95")
    reached = Alert.objects.exclude(pk=found.pk).get()
    assert (reached.severity, reached.text) == (full, f"The next call would pass a {scope}'s limit of 1.00 USD.")


def test_the_systems_hour_gets_worse_and_ends_with_the_hour(cast: Cast) -> None:
    now = timezone.now()
    Spend.objects.create(scope="system", key="all", period=now.strftime("%Y%m%d%H"), spent_usd=Decimal("40"))
    evaluate(now)
    found = Alert.objects.get()
    assert found.text == "80% of the system's limit of 50.00 USD an hour is spent."
    evaluate(now + timedelta(hours=1))
    evaluate(now + timedelta(hours=1, minutes=5))
    assert Alert.objects.get().resolved_at is not None
