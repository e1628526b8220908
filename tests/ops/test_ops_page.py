"""The operations page: who may see and turn what, prompt versions, and that it stays cheap and safe."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support_agent.agent.prompts import prompt
from support_agent.models import Alert, PromptVersion, Switch
from support_agent.ops.selectors.prompts import compared
from support_agent.runtime import controls
from support_agent.runtime.controls import switch_on
from support_agent.tools import ALL
from tests.cast import Cast
from tests.ops.made import PAGE, call, page, signed_in, step, talk, turn
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
    assert ("surfacelimit/add/?surface=anonymous" in shown) == (role != "lead")
    client.post(f"{PAGE}switch/", {"name": "pin_small", "deed": "on", "reason": "saving"})
    assert Switch.objects.get().changed_by == getattr(cast, role)


def test_agents_may_neither_see_nor_turn_anything(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "agent")
    assert client.get(PAGE).status_code == 403
    for path in ("switch/", "prompts/save/", "prompts/activate/"):
        assert client.post(PAGE + path, {"name": "pin_small", "deed": "on", "reason": "x"}).status_code == 403
    assert PAGE not in client.get("/admin/traces/").content.decode()
    assert PAGE not in client.get("/admin/").content.decode()
    assert not Switch.objects.exists()


def test_customers_are_sent_away_and_a_deed_wants_post_and_csrf(client: Client, cast: Cast) -> None:
    client.force_login(cast.owner_user)
    assert client.get(PAGE)["Location"].startswith("/admin/login/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.ops)
    form = {"name": "stop_assistant", "deed": "on", "reason": "x"}
    assert strict.post(f"{PAGE}switch/", form).status_code == 403
    assert strict.get(f"{PAGE}switch/").status_code == 405
    assert not Switch.objects.exists()


# Switches, breakers, limits


def turned(client: Client, **form: str) -> str:
    answer = client.post(f"{PAGE}switch/?span=week", form, follow=True)
    assert answer.redirect_chain[0][0] == f"{PAGE}?span=week#controls"
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
    context = client.get(PAGE).context
    assert [tool.name for tool in context["tools"] if tool.is_disabled] == ["lookup_order"]
    assert "lookup_order" not in context["to_disable"]
    turned(client, name="disable_tool", tool="lookup_order", deed="off", reason="right again")
    assert not Switch.objects.exists()


def test_staff_override_a_breaker(client: Client, cast: Cast) -> None:
    switch_on(name="pause_new", staff=None, reason="12 of 20 model calls failed within ten minutes.")
    assert "Override 4 h" in page(signed_in(client, cast, "lead"))
    assert "needs a reason" in turned(client, name="pause_new", deed="override")
    turned(client, name="pause_new", deed="override", reason="the provider is back")
    context = client.get(PAGE).context
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


# Prompts


def saved(client: Client, text: str, note: str = "why") -> str:
    answer = client.post(f"{PAGE}prompts/save/", {"name": "assistant", "text": text, "note": note})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_a_version_is_saved_compared_activated_and_rolled_back(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    file = prompt("assistant").text
    where = saved(client, file.replace("\n", "\r\n") + "\r\nBe brief.")
    assert where == f"{PAGE}?span=day&prompt=assistant&version=1#prompts"
    comparison = client.get(where).context["prompt"].comparison
    assert [line.text for line in comparison.lines if line.kind == "added"] == ["Be brief."]
    assert (comparison.shown, comparison.against, comparison.removed) == ("version 1", "the file", 0)
    version = PromptVersion.objects.get()
    assert not version.is_active

    client.post(f"{PAGE}prompts/activate/", {"name": "assistant", "version": str(version.pk)})
    controls.forget()
    assert controls.controls().prompts["assistant"].text == version.text
    assert client.get(PAGE).context["prompt"].active == version
    back = client.get(f"{PAGE}?prompt=assistant&version=file").context["prompt"].comparison
    assert (back.shown, back.against, back.removed) == ("the file", "version 1", 1)

    client.post(f"{PAGE}prompts/activate/", {"name": "assistant", "version": "file"})
    controls.forget()
    assert "assistant" not in controls.controls().prompts
    assert client.get(PAGE).context["prompt"].text == file
    deeds = [entry.action for entry in AuditEntry.objects.order_by("created_at")]
    assert deeds == ["prompt.save", "prompt.activate", "prompt.use_file"]


def test_a_refused_text_is_not_lost(client: Client, cast: Cast) -> None:
    form = {"name": "planner", "text": "a word too many " * 3000, "note": "n"}
    answer = signed_in(client, cast).post(f"{PAGE}prompts/save/", form)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "A prompt stays under 2,000 tokens" in shown
    assert form["text"].strip() in shown
    assert answer.context["prompt"].name == "planner"
    assert not PromptVersion.objects.exists()


@pytest.mark.parametrize("form", [{"name": "x"}, {"name": "assistant", "version": "1"}, {"name": "assistant"}])
def test_a_version_that_is_not_there_is_404(form: dict[str, str], client: Client, cast: Cast) -> None:
    assert signed_in(client, cast).post(f"{PAGE}prompts/activate/", form).status_code == 404
    other = PromptVersion.objects.create(name="planner", number=1, text="t")
    form = {"name": "assistant", "version": str(other.pk)}
    assert client.post(f"{PAGE}prompts/activate/", form).status_code == 404


def test_a_comparison_shows_what_changed_and_counts_the_rest() -> None:
    before = [f"line {number}" for number in range(20)]
    after = [*before[:10], "new", *before[11:]]
    lines = [(line.kind, line.text) for line in compared("\n".join(before), "\n".join(after))]
    assert lines == [
        ("skipped", "8 lines the same"), ("same", "line 8"), ("same", "line 9"), ("removed", "line 10"),
        ("added", "new"), ("same", "line 11"), ("same", "line 12"),
    ]  # fmt: skip
    assert list(compared("same", "same")) == []


# Safe and cheap


def test_nothing_stored_runs_on_the_page(client: Client, cast: Cast) -> None:
    attack = '</textarea><script>alert(1)</script><img src=x onerror="alert(1)">'
    signed_in(client, cast)
    turned(client, name="pin_small", deed="on", reason=attack)
    saved(client, attack, note=attack)
    Alert.objects.create(kind="budget", key="k", text=attack)
    one = turn(talk(cast.owner), path=attack[:10])
    call(one, attack[:60])
    step(one, model=attack[:50])
    client.post(f"{PAGE}prompts/activate/", {"name": "assistant", "version": str(PromptVersion.objects.get().pk)})
    for query in ("", "?prompt=assistant&version=1", f"?span={attack}&prompt={attack}&version={attack}"):
        answer = client.get(PAGE + query)
        shown = answer.content.decode()
        assert "alert(1)" in shown
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert " style=" not in shown


def test_the_page_takes_as_many_queries_for_much_as_for_little(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    counts = []
    for more in (1, 6):
        for number in range(more):
            one = turn(talk(cast.owner), path=("fast", "planned")[number % 2], cost_usd=Decimal("0.01"))
            call(one, f"tool_{more}_{number}")
            step(one, model=f"model-{number}", cost_usd=Decimal("0.01"))
            saved(client, f"text {number}")
            turned(client, name="disable_tool", tool=sorted(ALL)[number], deed="on", reason="x")
            Alert.objects.create(kind="budget", key=f"{more}{number}", text="x")
        client.get(PAGE)  # what says that something was done is gone afterwards
        controls.forget()
        with CaptureQueriesContext(connection) as queries:
            page(client, "?prompt=assistant&version=1")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 32
