"""Where alerts go and when: quiet hours, no storms, an end told once, tries that stop."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import Settings

from support_agent.models import Alert, AlertDelivery, AlertRoute
from support_agent.runtime import alert_watch, alerts, alive
from support_agent.runtime.alert_deliver import MAX_ATTEMPTS, deliver
from support_agent.runtime.alert_dispatch import dispatch, quiet_end
from support_agent.runtime.alert_routes import route_test
from support_agent.runtime.alert_transports import Undeliverable
from support_agent.runtime.alert_watch import evaluate
from support_agent.runtime.alerts import alert
from tests.cast import Cast
from tests.runtime.alerting import bring, only, receiving, route, subjects, tell
from tickets.errors import NotAllowed
from tickets.models import AuditEntry
from tickets.workspace import DEFAULT

SHOP = DEFAULT.opening.zone
pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=SHOP)
NIGHT = datetime(2026, 11, 18, 23, 30, tzinfo=SHOP)
MORNING = datetime(2026, 11, 19, 7, 0, tzinfo=SHOP)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _all_alive(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    for process in ("runner", "worker"):
        monkeypatch.setattr(alive, process, lambda: "ok")
    settings.ALERT_WEBHOOK_PRIVATE = True  # the receiver is on this machine


# Who hears of what


def test_without_any_route_ops_and_admin_hear_by_mail_once(cast: Cast) -> None:
    tell(key="a")
    tell(key="a")
    bring()
    bring()
    assert sorted(one.to[0] for one in mail.outbox) == ["admin@alderandpine.example", "ops@alderandpine.example"]
    assert Alert.objects.get().sent_at is not None


def test_what_is_good_to_know_costs_a_look_only_where_a_route_asks(
    cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[str] = []
    for module in (alerts, alert_watch):
        monkeypatch.setattr(module, "enqueue", lambda job, *args, **_: jobs.append(str(args[0])))
    alert("budget", "conversation:a", "80% of a conversation's limit is spent.", severity="info")
    evaluate()
    assert jobs == []
    client.force_login(cast.ops)
    page = client.get(f"/admin/ops/alerts/{Alert.objects.get().pk}/").content.decode()
    assert "Customers with the highest cost" in page
    only(least="info")
    alert("budget", "conversation:b", "80% of a conversation's limit is spent.", severity="info")
    told = Alert.objects.get(key="conversation:b")
    assert jobs == [str(told.pk)]
    evaluate()  # the job was lost
    assert jobs == [str(told.pk)] * 2
    dispatch(str(told.pk), "raised")
    told.refresh_from_db()
    assert told.causes["turns"] == 0


def test_a_route_hears_from_its_severity_on(cast: Cast) -> None:
    only(least="page")
    tell(key="a", severity="warning")
    tell(key="b", severity="page")
    bring()
    assert subjects() == ["[page] Something is wrong: b."]


def test_ops_and_admin_may_be_switched_off(cast: Cast) -> None:
    only(is_active=False)
    tell(key="a", severity="page")
    bring()
    assert mail.outbox == []
    assert Alert.objects.get().sent_at is None


def test_one_address_that_fails_does_not_keep_the_others_from_theirs(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tickets import mail as desk_mail

    sent: list[str] = []

    def send(*, to: str, subject: str, body: str) -> None:
        if to.startswith("ops"):
            raise OSError(f"550 {to} unknown")
        sent.append(to)

    monkeypatch.setattr(desk_mail, "send", send)
    tell(key="a")
    bring()
    bring()
    assert sent == ["admin@alderandpine.example"]
    [row] = AlertDelivery.objects.all()
    assert row.error == "1 of 2 mails failed: OSError: 550 … unknown"


# Quiet hours


@pytest.mark.parametrize(
    ("start", "end", "at", "ends"),
    [
        (time(22), time(7), NIGHT, MORNING),
        (time(22), time(7), NIGHT + 2 * HOUR, MORNING),
        (time(22), time(7), NOON, None),
        (time(22), time(7), MORNING, None),
        (time(11), time(13), NOON, NOON + HOUR),
        (time(22), time(22), NIGHT, None),
        (None, None, NIGHT, None),
    ],
)
def test_quiet_hours_are_the_shops(start: time | None, end: time | None, at: datetime, ends: datetime | None) -> None:
    assert quiet_end(start, end, at) == ends


def test_the_night_is_quiet_but_for_pages_and_its_rest_comes_together_in_the_morning(cast: Cast) -> None:
    only(quiet_from=time(22), quiet_until=time(7))
    tell(NIGHT, key="a")
    tell(NIGHT + HOUR, key="b", text="The queue is long.")
    tell(NIGHT + HOUR, key="c", severity="page")
    bring(NIGHT + 2 * HOUR)
    assert subjects() == ["[page] Something is wrong: c."]
    bring(MORNING - MINUTE)
    assert subjects() == []
    bring(MORNING)
    assert "[warning] The queue is long." in mail.outbox[0].body
    assert subjects() == ["2 alerts: [warning] Something is wrong: a. and 1 more"]


def test_what_ended_in_the_night_says_so_in_the_morning_and_not_twice(cast: Cast) -> None:
    only(quiet_from=time(22), quiet_until=time(7))
    tell(NIGHT, key="a:1", subject="a", severity="warning")
    Alert.objects.update(seen_at=NIGHT, created_at=NIGHT)
    evaluate(NIGHT + HOUR)
    bring(MORNING)
    assert subjects() == ["[warning] Something is wrong: a:1. (over by now)"]
    bring(MORNING + HOUR)
    assert subjects() == []


# Storms


def test_a_burst_is_a_few_messages_the_last_of_which_has_the_rest(cast: Cast) -> None:
    only(per_hour=3)
    for number in range(16):
        tell(NOON, key=f"{number:02}")
    bring(NOON)
    body = mail.outbox[-1].body
    assert subjects() == [
        "[warning] Something is wrong: 00.",
        "[warning] Something is wrong: 01.",
        "14 alerts: [warning] Something is wrong: 02. and 13 more",
    ]
    assert body.count("[warning]") == 10
    assert "and 4 more" in body


def test_past_the_hours_messages_the_rest_waits_and_pages_come_every_five_minutes(cast: Cast) -> None:
    only(per_hour=1)
    tell(NOON, key="first")
    bring(NOON)
    assert len(subjects()) == 1
    for minute in range(1, 20):
        tell(NOON + minute * MINUTE, key=f"w{minute}")
        tell(NOON + minute * MINUTE, key=f"p{minute}", severity="page")
        bring(NOON + minute * MINUTE)
    pages = subjects()
    assert [subject.split(" ")[0] for subject in pages] == ["5", "5", "5"]
    assert all("[page]" in subject for subject in pages)
    bring(NOON + HOUR + 20 * MINUTE)
    [digest] = subjects()
    assert digest.startswith("23 alerts: [page]")  # four pages since the last, and nineteen warnings


def test_a_page_goes_before_what_is_less(cast: Cast) -> None:
    only(per_hour=2)
    for key, severity in (("a", "warning"), ("b", "warning"), ("c", "page")):
        tell(NOON, key=key, severity=severity)
    bring(NOON)
    assert subjects() == ["[page] Something is wrong: c.", "2 alerts: [warning] Something is wrong: a. and 1 more"]


# Conditions


def test_a_condition_is_told_once_and_so_is_its_end(cast: Cast) -> None:
    only()
    for hour in range(5):
        alert("tool_failures", f"lookup_order:{hour}", "It fails.", subject="lookup_order")
    [raised] = Alert.objects.all()
    tell(kind="tool_failures", key="lookup_order:0", subject="lookup_order")
    bring()
    assert len(subjects()) == 1
    later = raised.seen_at + timedelta(minutes=4)
    for minute in range(3):
        evaluate(later + minute * MINUTE)
        bring(later + minute * MINUTE)
    assert subjects() == ["[resolved] Something is wrong: lookup_order:0."]
    assert Alert.objects.get().resolved_at == later


def test_what_comes_and_goes_within_its_period_is_told_once(cast: Cast) -> None:
    only()
    told = tell(kind="tool_failures", key="x:1", subject="x")
    bring()
    for minute in (4, 8, 12):
        evaluate(told.seen_at + minute * MINUTE)
        bring(told.seen_at + minute * MINUTE)
        alert("tool_failures", "x:1", "Again.", subject="x")
        Alert.objects.update(seen_at=told.seen_at + minute * MINUTE)
    assert [subject.split("]")[0] for subject in subjects()] == ["[warning", "[resolved"]
    assert Alert.objects.get().resolved_at is None  # it stands: it is only not told again


def test_what_gets_worse_is_told_again(cast: Cast) -> None:
    only()
    told = tell(kind="turn_failures", key="all:1", subject="all")
    bring()
    alert("turn_failures", "all:2", "A fifth fails.", subject="all", severity="page")
    dispatch(str(told.pk), AlertDelivery.Notice.WORSE.value)
    bring()
    assert subjects() == ["[warning] Something is wrong: all:1.", "[worse] A fifth fails."]
    assert Alert.objects.get().severity == "page"


def test_an_event_leaves_the_list_after_a_day_without_a_word(cast: Cast) -> None:
    only()
    told = tell(kind="budget", key="customer:1:2026-11-21")
    bring()
    subjects()
    evaluate(told.created_at + timedelta(hours=23))
    assert Alert.objects.get().resolved_at is None
    evaluate(told.created_at + timedelta(hours=25))
    bring(told.created_at + timedelta(hours=26))
    assert Alert.objects.get().resolved_at is not None
    assert subjects() == []


# Failures


def test_a_webhook_that_fails_is_tried_with_pauses_and_then_its_own_alert(cast: Cast) -> None:
    other = route()
    with receiving(500) as receiver:
        webhook = only("webhook", receiver.url)
        now = NOON
        tell(now, key="a")
        with pytest.raises(Undeliverable):
            deliver(str(webhook.pk), now)
        tries = [now]
        while (row := AlertDelivery.objects.get(route=webhook)).attempts < MAX_ATTEMPTS:
            tries.append(row.due_at)
            bring(row.due_at - timedelta(seconds=1))
            bring(row.due_at)
        pauses = [(after - before).total_seconds() for before, after in pairwise(tries)]
        assert pauses == [5, 30, 120, 600, 1800]
        assert len(receiver.received) == MAX_ATTEMPTS
        assert len({headers["X-Delivery-Id"] for headers, _ in receiver.received}) == 1
        bring(row.due_at + 24 * HOUR)
        assert len(receiver.received) == MAX_ATTEMPTS
    assert row.error == "answered HTTP 500"
    AlertDelivery.objects.update(created_at=NOON)
    evaluate(tries[-1])
    found = Alert.objects.get(kind="route")
    assert found.text == "Webhook 127.0.0.1 takes no alerts: answered HTTP 500"
    dispatch(str(found.pk), AlertDelivery.Notice.RAISED.value)
    assert [one.route for one in found.deliveries.all()] == [other]


def test_an_answer_that_will_not_change_is_not_asked_again(cast: Cast) -> None:
    with receiving(404) as receiver:
        webhook = only("webhook", receiver.url)
        tell(key="a")
        deliver(str(webhook.pk))  # nothing for RQ to try again
        bring()
        assert len(receiver.received) == 1


def test_a_test_that_arrives_lets_out_what_was_given_up(cast: Cast) -> None:
    with receiving(404, 200) as receiver:
        webhook = only("webhook", receiver.url)
        tell(key="a")
        bring()
        assert route_test(route=webhook, staff=cast.ops) == ""
        bring()
        assert [b'"alert.test"' in body for _, body in receiver.received] == [False, True, False]
    assert AlertDelivery.objects.get().sent_at is not None
    assert AuditEntry.objects.get().action == "alertroute.test"
    with pytest.raises(NotAllowed):
        route_test(route=webhook, staff=cast.lead)


# What a route may be


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("email", "nobody"),
        ("email", "https://x.example/"),
        ("webhook", "duty@alderandpine.example"),
        ("webhook", "ftp://x.example/"),
        ("webhook", "https://"),
        ("webhook", "https://user:secret@x.example/"),
        ("webhook", "http://8.8.8.8/"),
        ("webhook", "https://x.example:99999/"),
    ],
)
def test_a_route_that_cannot_work_is_refused(kind: str, target: str) -> None:
    with pytest.raises(ValidationError):
        AlertRoute(kind=kind, target=target).full_clean()


def test_a_webhook_always_has_a_secret_and_quiet_hours_two_ends() -> None:
    made = route("webhook", "https://x.example/hook")
    assert len(made.secret) >= 32
    with pytest.raises(ValidationError):
        AlertRoute(kind="email", target="a@b.example", quiet_from=time(22)).full_clean()
