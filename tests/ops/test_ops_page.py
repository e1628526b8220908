"""The operations page: figures that are right, who may see and turn what, and that it stays cheap and safe."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support_agent.agent.config import LIMITS
from support_agent.agent.prompts import prompt
from support_agent.models import Alert, PromptVersion, Spend, Step, SurfaceLimit, Switch, ToolCall, Turn
from support_agent.ops.selectors.filters import TraceFilter
from support_agent.ops.selectors.prompts import compared
from support_agent.ops.selectors.pulse import models_of, paths_of, pulses
from support_agent.ops.selectors.safety import Reading, readings, surface_rows
from support_agent.ops.selectors.tool_health import ToolHealth, tool_health
from support_agent.ops.selectors.traces import traces_page
from support_agent.ops.spans import Span
from support_agent.runtime import controls, tool_breakers
from support_agent.runtime.controls import switch_on
from support_agent.tools import ALL
from tests.cast import Cast
from tickets.models import AuditEntry, Conversation, Customer, Escalation, Team
from tickets.services.conversations import conversation_create

pytestmark = pytest.mark.django_db
PAGE = "/admin/ops/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    controls.forget()
    yield
    controls.forget()


def talk(customer: Customer | None = None) -> Conversation:
    return conversation_create(channel="chat", customer=customer, identity="session" if customer else "")[0]


def turn(conversation: Conversation, ago: timedelta = HOUR / 2, **values: Any) -> Turn:
    defaults = {"surface": "signed_in", "state": "answered", "path": "fast"}
    return Turn.objects.create(conversation=conversation, created_at=timezone.now() - ago, **defaults | values)


def step(of: Turn, kind: str = "model_call", **values: Any) -> Step:
    index = of.steps.count()
    return Step.objects.create(turn=of, index=index, kind=kind, created_at=of.created_at, **values)


def call(of: Turn, tool: str, status: str = "success", duration_ms: int = 10) -> ToolCall:
    return ToolCall.objects.create(
        turn=of, conversation=of.conversation, tool=tool, tool_use_id="x", arguments={}, status=status,
        idempotency_key=str(uuid4()), duration_ms=duration_ms, created_at=of.created_at,
    )  # fmt: skip


def escalate(conversation: Conversation, reason: str, ago: timedelta = HOUR / 2) -> None:
    moment = timezone.now() - ago
    Escalation.objects.create(
        conversation=conversation, reason=reason, summary="s", team=Team.objects.all()[0], due_at=moment,
        created_at=moment, status="closed",
    )  # fmt: skip


def verdict(of: Turn, words: int | None, status: str = "ok") -> None:
    step(of, "critic", status=status, output={"accepted": True, "words": words} if words is not None else {})


def signed_in(client: Client, cast: Cast, role: str = "ops") -> Client:
    client.force_login(getattr(cast, role))
    return client


def page(client: Client, query: str = "") -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return str(answer.content.decode())


# Figures


def test_the_figures_are_those_of_the_span_and_of_the_one_before(cast: Cast) -> None:
    first, second, old = talk(cast.owner), talk(cast.other), talk()
    for conversation, ago in ((first, HOUR / 2), (first, HOUR / 3), (second, HOUR / 2), (old, HOUR * 1.5)):
        one = turn(conversation, ago)
        step(one, model="claude-haiku-5-5", cost_usd=Decimal("0.10"), input_tokens=100, cache_read_tokens=300)
    escalate(first, "unsure")
    escalate(first, "money")
    escalate(second, "asked")
    escalate(old, "unsure", HOUR * 1.5)
    for words in (10, 20, 60):
        verdict(Turn.objects.filter(conversation=first)[0], words)
    verdict(Turn.objects.filter(conversation=second)[0], None, status="failed")
    now, before = pulses(Span.read("hour"))
    assert (now.turns, now.conversations, now.escalated) == (3, 2, 1)
    assert now.cost_usd == Decimal("0.30")
    assert now.escalation_share == 0.5
    assert now.acceptance == 0.75
    assert now.cache_share == 0.75
    assert now.median_words == 20
    assert (before.turns, before.conversations, before.escalated) == (1, 1, 1)
    assert before.acceptance is None
    assert before.median_words is None
    longer, _ = pulses(Span.read("day"))
    assert longer.turns == 4


def test_tasks_of_the_staff_api_are_no_conversations_that_escalate(cast: Cast) -> None:
    task = talk(cast.owner)
    Conversation.objects.filter(pk=task.pk).update(channel=Conversation.Channel.TASK)
    turn(task, surface="background")
    now, _ = pulses(Span.read("day"))
    assert (now.turns, now.conversations, now.escalation_share) == (1, 0, None)


def test_turns_by_path_and_models_by_cost(cast: Cast) -> None:
    conversation = talk(cast.owner)
    for path, usd, model in (("fast", "0.01", "small"), ("fast", "0.03", "small"), ("planned", "0.12", "large")):
        one = turn(conversation, path=path, cost_usd=Decimal(usd))
        step(one, model=f"claude-{model}", cost_usd=Decimal(usd))
    turn(conversation, path="", state="failed")
    span = Span.read("day")
    paths = {part.name: (part.number, round(part.share, 3), part.each_usd) for part in paths_of(span)}
    assert paths == {"fast": (2, 0.667, Decimal("0.02")), "planned": (1, 0.333, Decimal("0.12"))}
    assert [(part.name, part.number, part.share) for part in models_of(span)] == [
        ("claude-large", 1, 0.75), ("claude-small", 2, 0.25)
    ]  # fmt: skip


def test_an_empty_desk_and_a_span_that_is_none(client: Client, cast: Cast) -> None:
    shown = page(signed_in(client, cast), "?span=century&prompt=x&version=x")
    assert 'href="?span=day" aria-current="page"' in shown
    assert "No turn in this day." in shown
    assert "no turn" in shown


def test_the_page_says_how_a_figure_moved(client: Client, cast: Cast) -> None:
    conversation = talk(cast.owner)
    for ago in (HOUR, HOUR * 2, HOUR * 3, HOUR * 30, HOUR * 31):
        turn(conversation, ago)
    figure = signed_in(client, cast).get(PAGE).context["figures"][0]
    assert (figure.label, figure.value, figure.change) == ("Turns", "3", "+50%")


# Tools


def health(name: str, **disabled: bool) -> ToolHealth:
    return next(tool for tool in tool_health(Span.read("day"), frozenset(disabled)) if tool.name == name)


def test_tool_health_counts_failures_and_how_long_calls_took(cast: Cast) -> None:
    one = turn(talk(cast.owner))
    for milliseconds in range(0, 101, 10):
        call(one, "lookup_order", duration_ms=milliseconds)
    for status in ("error", "error", "degraded", "not_found", "needs_verification"):
        call(one, "track_shipment", status)
    call(turn(talk(), HOUR * 30), "track_shipment", "error")
    call(one, "imagined_tool", "invalid_arguments")
    tools = tool_health(Span.read("day"), frozenset({"update_customer"}))
    assert {tool.name for tool in tools} == {*ALL, "imagined_tool"}
    assert [tool.name for tool in tools[:2]] == ["track_shipment", "update_customer"]  # what is not well comes first
    ailing = health("track_shipment")
    assert (ailing.calls, ailing.errors, ailing.degraded, ailing.failure_share) == (5, 2, 1, 0.6)
    well = health("lookup_order")
    assert (well.p50_ms, well.p95_ms, well.failure_share, well.is_well) == (50, 95, 0, True)
    unused = health("create_ticket")
    assert (unused.calls, unused.failure_share, unused.p95_ms) == (0, None, None)
    assert health("imagined_tool").category == ""
    assert health("update_customer", update_customer=True).is_disabled


def test_the_breaker_of_a_tool_is_shown(client: Client, cast: Cast) -> None:
    try:
        for _ in range(tool_breakers.FAILURES):
            tool_breakers.note("lookup_order", failed=True)
        assert health("lookup_order").breaker == "open"
        assert not health("lookup_order").is_well
        assert '<span class="badge failed">open</span>' in page(signed_in(client, cast))
    finally:
        tool_breakers.note("lookup_order", failed=False)
    assert health("lookup_order").breaker == "closed"


def test_without_redis_breakers_are_unknown_after_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def away(tool: str) -> tool_breakers.State:
        looks.append(tool)
        raise redis.ConnectionError

    monkeypatch.setattr(tool_breakers, "state_of", away)
    tools = tool_health(Span.read("day"), frozenset())
    assert {tool.breaker for tool in tools} == {"unknown"}
    assert len(looks) == 1
    assert all(tool.is_well for tool in tools)


def test_every_bar_leads_to_the_conversations_behind_it(client: Client, cast: Cast) -> None:
    used, other = talk(cast.owner), talk(cast.other)
    call(turn(used, path="planned"), "lookup_order")
    step(turn(other, path="fast"), model="claude-haiku-5-5")
    shown = page(signed_in(client, cast))
    since = Span.read("day").start.date().isoformat()
    for query, found in (("tool=lookup_order", used), ("path=planned", used), ("model=claude-haiku-5-5", other)):
        assert f'href="/admin/traces/?{query}&amp;since={since}"' in shown
        name, _, value = query.partition("=")
        rows, _ = traces_page(TraceFilter.read({name: value}))
        assert [row.conversation for row in rows] == [found]
        answer = client.get(f"/admin/traces/?{query}")
        assert query in answer.context["query"]
        assert f'"{value}"' in answer.content.decode()


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


def reading(label: str) -> Reading:
    return next(one for one in readings(timezone.now()) if one.label.startswith(label))


def test_the_breakers_readings_stand_beside_their_thresholds(cast: Cast) -> None:
    one = turn(talk(cast.owner), timedelta(minutes=5), cost_usd=Decimal("51"))
    for status in ["failed"] * 10 + ["ok"] * 10:
        step(one, model="m", status=status)
    for number in range(20):
        verdict(one, 10, "failed" if number < 8 else "ok")
    escalate(one.conversation, "unsure")
    model, cost, accepted, escalating = (reading(name) for name in ("Model", "Cost, an", "Accepted", "Escalating"))
    assert (model.value, model.threshold, model.is_tripped) == (0.5, 0.3, True)
    assert (cost.value, cost.threshold, cost.is_tripped) == (51, 50, True)
    assert (accepted.value, accepted.is_tripped) == (0.6, True)
    assert (escalating.value, escalating.is_floor_met, escalating.is_tripped) == (1, False, False)  # one conversation
    assert reading("Cost over").value is None
    turn(talk(), timedelta(days=8))
    assert (reading("Cost over").value, reading("Cost over").is_tripped) == (51, True)


def test_limits_by_surface_with_what_was_spent_today(client: Client, cast: Cast) -> None:
    now = timezone.now()
    turn(talk(cast.owner), timedelta(0), cost_usd=Decimal("0.25"))
    row = SurfaceLimit.objects.create(surface="signed_in", surface_day=Decimal("10.00"), day=Decimal("3.00"))
    Spend.objects.create(
        scope="surface", key="signed_in", period=now.date().isoformat(), spent_usd="7.5", reserved_usd="1.5"
    )
    Alert.objects.create(kind="budget", key=f"customer:1:{now.date()}", text="76% of a customer's limit is spent.")
    controls.forget()
    rows = {one.surface: one for one in surface_rows(controls.controls().limits, now)}
    assert list(rows) == [surface.value for surface in LIMITS]
    mine = rows["signed_in"]
    assert (mine.today_usd, mine.full, mine.limits.day) == (Decimal("0.25"), 0.9, Decimal("3.00"))
    assert (rows["paying"].today_usd, rows["paying"].full) == (Decimal(0), None)
    shown = page(signed_in(client, cast))
    assert f"/admin/support_agent/surfacelimit/{row.pk}/change/" in shown
    assert "1 customer or address reached 75%" in shown
    assert "76% of a customer&#x27;s limit is spent." in shown


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
