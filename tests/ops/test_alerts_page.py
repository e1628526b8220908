"""The alerts page: what is open, one alert with its causes, who is on it, routes and their test, the runbook."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from support_agent.models import Alert, AlertDelivery, AlertRoute
from support_agent.ops.selectors.safety import latest_alerts
from support_agent.runtime.alert_rules import RULES
from tests.cast import Cast
from tests.ops.made import call, signed_in, talk, turn
from tests.runtime.alerting import bring, only, receiving, route, tell
from tickets.models import AuditEntry, AuditValue
from tickets.selectors.staff import staff_name

pytestmark = pytest.mark.django_db
PAGE = "/admin/ops/alerts/"


def shown(client: Client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def over(alert: Alert) -> Alert:
    Alert.objects.filter(pk=alert.pk).update(resolved_at=timezone.now())
    return alert


# Who


@pytest.mark.parametrize("role", ["lead", "ops", "admin"])
def test_leads_ops_and_admins_see_and_acknowledge(role: str, client: Client, cast: Cast) -> None:
    one = tell(key="a")
    signed_in(client, cast, role)
    assert f'href="{PAGE}" aria-current="page"' in shown(client)
    client.post(f"{PAGE}{one.pk}/acknowledge/")
    one.refresh_from_db()
    assert one.acknowledged_by == getattr(cast, role)


def test_agents_and_customers_do_not(client: Client, cast: Cast) -> None:
    one = tell(key="a")
    signed_in(client, cast, "agent")
    assert PAGE not in client.get("/admin/").content.decode()
    for path in (PAGE, f"{PAGE}{one.pk}/"):
        assert client.get(path).status_code == 403
    assert client.post(f"{PAGE}{one.pk}/acknowledge/").status_code == 403
    assert client.post(f"{PAGE}routes/{route().pk}/test/").status_code == 403
    client.force_login(cast.owner_user)
    assert client.get(PAGE)["Location"].startswith("/admin/login/")
    one.refresh_from_db()
    assert one.acknowledged_at is None


def test_a_deed_wants_post_and_csrf(cast: Cast) -> None:
    one, strict = tell(key="a"), Client(enforce_csrf_checks=True)
    strict.force_login(cast.ops)
    assert strict.get(f"{PAGE}{one.pk}/acknowledge/").status_code == 405
    assert strict.post(f"{PAGE}{one.pk}/acknowledge/").status_code == 403


# The list


def test_open_ones_come_first_the_worst_on_top(client: Client, cast: Cast) -> None:
    over(tell(key="old", severity="page"))
    tell(key="warns", severity="warning")
    tell(key="pages", severity="page")
    mine = tell(key="mine", severity="page")
    signed_in(client, cast)
    client.post(f"{PAGE}{mine.pk}/acknowledge/")
    context = client.get(PAGE).context
    assert [row.alert.key for row in context["open"]] == ["pages", "warns", "mine"]
    assert [row.alert.key for row in context["past"]] == ["old"]
    assert [one.key for one in latest_alerts()] == ["pages", "warns", "mine", "old"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("?kind=sla", {"a", "c"}),
        ("?severity=page", {"b"}),
        ("?state=over", {"c"}),
        ("?state=open&kind=sla", {"a"}),
        ("?state=x&severity=y&page=z", {"a", "b", "c"}),
        ("?kind=nothing%00", set()),
    ],
)
def test_the_address_filters(query: str, keys: set[str], client: Client, cast: Cast) -> None:
    tell(key="a")
    tell(kind="runner", key="b", severity="page")
    over(tell(key="c"))
    context = signed_in(client, cast).get(PAGE + query).context
    assert {row.alert.key for row in [*context["open"], *context["past"]]} == keys


def test_the_past_has_pages(client: Client, cast: Cast) -> None:
    now = timezone.now()
    Alert.objects.bulk_create(
        Alert(kind="sla", key=str(n), text=f"alert {n}", resolved_at=now, created_at=now - timedelta(minutes=n))
        for n in range(60)
    )
    signed_in(client, cast)
    first = shown(client, f"{PAGE}?kind=sla")
    assert 'href="?kind=sla&amp;page=2" rel="next"' in first
    second = client.get(f"{PAGE}?kind=sla&page=2").context
    assert [row.alert.key for row in second["past"]] == [str(n) for n in range(50, 60)]
    assert not second["older"]


def test_the_list_takes_as_many_queries_for_many_as_for_few(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    counts = []
    for more in (1, 8):
        for number in range(more):
            one = tell(key=f"{more}{number}")
            client.post(f"{PAGE}{one.pk}/acknowledge/")
            over(tell(key=f"past{more}{number}"))
            route(target=f"{more}{number}@alderandpine.example")
        bring()
        client.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


# One alert


def test_an_alert_shows_what_is_behind_it_and_what_to_do(client: Client, cast: Cast) -> None:
    one = turn(talk(cast.owner), cost_usd="0.25", prompt_version="assistant-7", cache_read_tokens=3, input_tokens=1)
    call(one, "lookup_order", status="error")
    only()
    found = tell(kind="tool_failures", key="lookup_order:1", subject="lookup_order", tool="lookup_order")
    bring()
    page = shown(signed_in(client, cast), f"{PAGE}{found.pk}/")
    for words in ("o•••@example.com", "$0.2500", "75.0%", "assistant-7", "E-mail duty@alderandpine.example"):
        assert words in page
    assert "olivia" not in page.lower()
    assert f"/admin/tickets/customer/{cast.owner.pk}/change/" in page
    assert 'href="/admin/ops/runbook/#alert-tool-failures"' in page
    assert 'href="/admin/ops/#tools"' in page
    assert client.get(f"{PAGE}{one.pk}/").status_code == 404


def test_being_on_it_is_said_once_and_audited(client: Client, cast: Cast) -> None:
    one = tell(key="a")
    signed_in(client, cast)
    answer = client.post(f"{PAGE}{one.pk}/acknowledge/", {"from": "page"}, follow=True)
    assert answer.redirect_chain[0][0] == f"{PAGE}{one.pk}/"
    assert "you are on it" in answer.content.decode()
    signed_in(client, cast, "lead")
    assert "Somebody was on it already" in client.post(f"{PAGE}{one.pk}/acknowledge/", follow=True).content.decode()
    one.refresh_from_db()
    assert one.acknowledged_by == cast.ops
    assert [entry.action for entry in AuditEntry.objects.all()] == ["alert.acknowledge"]


def test_words_and_figures_of_an_alert_are_of_one_moment(client: Client, cast: Cast) -> None:
    one = tell(key="a", subject="late", text="3 wait", late="Billing 3", size=3)
    tell(key="a", subject="late", text="4 wait", late="Billing 2, Shipping 2", size=4)
    path = f"{PAGE}{one.pk}/"
    page = shown(signed_in(client, cast), path)
    assert "4 wait" in page
    assert "Billing 2, Shipping 2" in page
    assert "<dt>Size" not in page
    over(one)
    tell(key="a", subject="late", text="1 waits", late="Shipping 1", size=1)
    page = shown(client, path)
    assert "1 waits" in page
    assert "<dd>Shipping 1</dd>" in page


def test_who_is_on_it_has_the_name_that_colleagues_know(client: Client, cast: Cast) -> None:
    one = tell(key="a")
    signed_in(client, cast, "lead").post(f"{PAGE}{one.pk}/acknowledge/")
    name = staff_name(cast.lead)
    assert name != cast.lead.get_username()
    for path in (PAGE, f"{PAGE}{one.pk}/"):
        assert re.search(rf"{name}(</b>)? is on it", shown(client, path))


def test_nothing_stored_runs_on_the_pages(client: Client, cast: Cast) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    one = tell(kind=attack[:30], key="a", text=attack, customer="", detail=attack)
    Alert.objects.update(
        causes={
            "turns": 1, "cost_usd": "1", "cache_share": None, "customers": [{"id": "", "shown": attack, "turns": 1,
            "cost_usd": "1", "share": None}], "tools": [{"tool": attack, "calls": 1, "failed": 1}],
            "prompts": [{"version": attack, "turns": 1}],
        }
    )  # fmt: skip
    AlertDelivery.objects.update(error=attack)
    signed_in(client, cast)
    for path in (PAGE, f"{PAGE}{one.pk}/", f"{PAGE}?kind={attack}"):
        page = shown(client, path)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert " style=" not in page


# Routes


def test_a_test_is_sent_from_the_page_and_its_result_said(client: Client, cast: Cast, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_PRIVATE = True
    signed_in(client, cast)
    answer = client.post(f"{PAGE}routes/{only().pk}/test/", follow=True)
    assert "A test was sent: E-mail duty@alderandpine.example." in answer.content.decode()
    assert [one.subject for one in mail.outbox] == ["[test] Alerts reach you here"]
    with receiving(500) as receiver:
        webhook = route("webhook", receiver.url)
        answer = client.post(f"{PAGE}routes/{webhook.pk}/test/", follow=True)
        assert "Not sent. Webhook 127.0.0.1: answered HTTP 500" in answer.content.decode()
    signed_in(client, cast, "lead")
    assert client.post(f"{PAGE}routes/{webhook.pk}/test/").status_code == 403
    assert "Send a test" not in shown(client)


def test_a_route_that_fails_says_so(client: Client, cast: Cast, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_PRIVATE = True
    with receiving(404) as receiver:
        only("webhook", receiver.url)
        tell(key="a")
        bring()
    page = shown(signed_in(client, cast))
    assert "answered HTTP 404" in page
    assert "/hook" not in page  # an address of a webhook may hold a secret


def test_routes_are_made_in_the_admin_and_their_secrets_stay_there(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    form = {"kind": "webhook", "target": "https://x.example/hook/abc", "secret": "", "least": "page", "per_hour": "6",
            "is_active": "on"}  # fmt: skip
    path = "/admin/support_agent/alertroute/"
    assert client.post(f"{path}add/", form).status_code == 302
    made = AlertRoute.objects.get(kind="webhook")
    assert len(made.secret) >= 32
    changed = {**form, "secret": "another-secret", "least": "warning"}
    assert client.post(f"{path}{made.pk}/change/", changed).status_code == 302
    assert AlertRoute.objects.get(kind="webhook").secret == "another-secret"
    kept = " ".join(str(one) for row in AuditValue.objects.values_list("before", "after") for one in row)
    assert "another-secret" not in kept
    assert "/hook/abc" not in kept
    assert "warning" in kept
    assert client.post(f"{path}add/", {**form, "target": "http://8.8.8.8/"}).status_code == 200  # refused
    signed_in(client, cast, "lead")
    seen = client.get(f"{path}{made.pk}/change/").content.decode()
    assert "another-secret" not in seen
    assert "/hook/abc" not in seen


# The runbook


def test_the_runbook_is_a_page_where_the_links_of_alerts_lead(client: Client, cast: Cast) -> None:
    page = shown(signed_in(client, cast, "agent"), "/admin/ops/runbook/")
    for rule in RULES.values():
        assert f'id="{rule.anchor}"' in page
    assert '<a href="/admin/ops/alerts/"><code>/admin/ops/alerts/</code></a>' in page
    assert 'href="controls.md"' not in page


def test_where_an_alert_says_to_look_there_is_something(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    for path in {path for rule in RULES.values() for _, path in rule.pages}:
        address, _, fragment = path.partition("#")
        page = shown(client, address)
        assert not fragment or f'id="{fragment}"' in page, path
