"""The operations page: who may see and turn what, prompt versions, and that it stays cheap and safe."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support_agent.models import Alert, Switch
from support_agent.runtime import controls
from support_agent.runtime.controls import switch_on
from support_agent.tools import ALL
from tests.cast import Cast
from tests.ops.made import CONTROLS, PAGE, call, page, signed_in, step, talk, turn
from tickets.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    controls.forget()
    yield
    controls.forget()


# Roles


@pytest.mark.parametrize("role", ["lead", "ops", "admin"])
def test_leads_ops_and_admins_see_the_page_and_turn_switches(role: str, client: Client, cast: Cast) -> None:
    shown = page(signed_in(client, cast, role))
    assert f'href="{PAGE}" aria-current="page"' in shown
    assert f'href="{PAGE}"' in client.get("/admin/").content.decode()
    assert f'href="{CONTROLS}#switches"' in shown
    limits = client.get(CONTROLS).content.decode()
    assert ("surfacelimit/add/?surface=anonymous" in limits) == (role != "lead")
    assert ("systemlimit/add/" in limits) == (role != "lead")
    client.post(f"{PAGE}switch/", {"name": "pin_small", "deed": "on", "reason": "saving"})
    assert Switch.objects.get().changed_by == getattr(cast, role)


def test_agents_may_neither_see_nor_turn_anything(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "agent")
    assert client.get(PAGE).status_code == 403
    assert client.get(CONTROLS).status_code == 403
    for path in ("switch/", "prompts/save/", "prompts/activate/"):
        assert client.post(PAGE + path, {"name": "pin_small", "deed": "on", "reason": "x"}).status_code == 403
    assert PAGE not in client.get("/admin/traces/").content.decode()
    assert PAGE not in client.get("/admin/").content.decode()
    assert not Switch.objects.exists()


def test_customers_are_sent_away_and_a_deed_wants_post_and_csrf(client: Client, cast: Cast) -> None:
    client.force_login(cast.owner_user)
    for path in (PAGE, CONTROLS):
        assert client.get(path)["Location"].startswith("/admin/login/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.ops)
    form = {"name": "stop_assistant", "deed": "on", "reason": "x"}
    assert strict.post(f"{PAGE}switch/", form).status_code == 403
    assert strict.get(f"{PAGE}switch/").status_code == 405
    assert not Switch.objects.exists()


# Switches, breakers, limits


def turned(client: Client, **form: str) -> str:
    answer = client.post(f"{PAGE}switch/", form, follow=True)
    assert answer.redirect_chain[0][0] == f"{CONTROLS}#switches"
    return " ".join(str(message) for message in answer.context["messages"])


def test_a_switch_goes_on_and_off_with_a_reason_each_and_is_audited(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    assert turned(client, name="stop_assistant", deed="on", reason="  ") == "A switch needs a reason."
    assert not Switch.objects.exists()
    assert "On: Stop the assistant" in turned(client, name="stop_assistant", deed="on", reason="it invents prices")
    assert "it invents prices" in page(client)
    assert "needs a reason" in turned(client, name="stop_assistant", deed="off")
    assert Switch.objects.exists()
    turned(client, name="stop_assistant", deed="off", reason="mended")
    assert not Switch.objects.exists()
    assert [entry.action for entry in AuditEntry.objects.order_by("created_at")] == ["switch.on", "switch.off"]


def test_one_tool_is_disabled_and_offered_again(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    turned(client, name="disable_tool", tool="lookup_order", deed="on", reason="wrong data")
    assert [tool.name for tool in client.get(PAGE).context["tools"] if tool.is_disabled] == ["lookup_order"]
    assert "lookup_order" not in client.get(CONTROLS).context["to_disable"]
    turned(client, name="disable_tool", tool="lookup_order", deed="off", reason="right again")
    assert not Switch.objects.exists()


def test_staff_override_a_breaker(client: Client, cast: Cast) -> None:
    switch_on(name="pause_new", staff=None, reason="12 of 20 model calls failed within ten minutes.")
    signed_in(client, cast, "lead")
    assert "12 of 20 model calls failed" in page(client)  # whoever is paged sees it first
    assert "Override 4 h" in client.get(CONTROLS).content.decode()
    assert "needs a reason" in turned(client, name="pause_new", deed="override")
    turned(client, name="pause_new", deed="override", reason="the provider is back")
    context = client.get(CONTROLS).context
    assert [row.state for row in context["switches"]] == ["off", "off", "off", "overridden"]
    assert context["on"] == []


@pytest.mark.parametrize(
    "form",
    [
        {"name": "everything", "deed": "on"},
        {"name": "disable_tool", "deed": "on"},
        {"name": "disable_tool", "tool": "no_such", "deed": "on"},
        {"name": "pin_small", "tool": "lookup_order", "deed": "on"},
        {"name": "pin_small", "deed": "override"},
        {"name": "pin_small", "deed": "dance"},
        {},
    ],
)
def test_what_is_no_switch_is_refused_in_words(form: dict[str, str], client: Client, cast: Cast) -> None:
    assert "switch" in turned(signed_in(client, cast), reason="x", **form)
    assert not Switch.objects.exists()


# Safe and cheap


def test_nothing_stored_runs_on_the_page(client: Client, cast: Cast) -> None:
    attack = '</textarea><script>alert(1)</script><img src=x onerror="alert(1)">'
    signed_in(client, cast)
    turned(client, name="pin_small", deed="on", reason=attack)
    Alert.objects.create(kind="budget", key="k", text=attack)
    one = turn(talk(cast.owner), path=attack[:10])
    call(one, attack[:60])
    step(one, model=attack[:50])
    for query in ("", f"?span={attack}&from={attack}", "controls/"):
        answer = client.get(PAGE + query)
        shown = answer.content.decode()
        assert "alert(1)" in shown
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert " style=" not in shown


@pytest.mark.parametrize("path", ["", "controls/"])
def test_a_page_takes_as_many_queries_for_much_as_for_little(path: str, client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    counts = []
    for more in (1, 6):
        for number in range(more):
            one = turn(talk(cast.owner), path=("fast", "planned")[number % 2], cost_usd=Decimal("0.01"))
            call(one, f"tool_{more}_{number}")
            step(one, model=f"model-{number}", cost_usd=Decimal("0.01"))
            turned(client, name="disable_tool", tool=sorted(ALL)[number], deed="on", reason="x")
            Alert.objects.create(kind="budget", key=f"{more}{number}", text="x")
        client.get(PAGE + path)  # what says that something was done is gone afterwards
        controls.forget()
        with CaptureQueriesContext(connection) as queries:
            page(client, path)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 40
