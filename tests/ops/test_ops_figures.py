"""The operations page's figures: turns, cost, tools, breakers and limits, right on rows made for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import redis
from django.test import Client
from django.utils import timezone

from support_agent.agent.config import LIMITS
from support_agent.models import Alert, Spend, SurfaceLimit, SystemLimit, Turn
from support_agent.ops.charts import Columns
from support_agent.ops.panels import sections
from support_agent.ops.selectors.budgets import budgets
from support_agent.ops.selectors.filters import TraceFilter
from support_agent.ops.selectors.pulse import Pulse, Readings, readings_of
from support_agent.ops.selectors.safety import Reading, readings, surface_rows
from support_agent.ops.selectors.tool_health import ToolHealth, tool_health
from support_agent.ops.selectors.traces import traces_page
from support_agent.ops.spans import Span
from support_agent.runtime import controls, tool_breakers
from support_agent.runtime.buckets import MOST_OFF
from support_agent.tools import ALL
from tests.cast import Cast
from tests.ops.made import HOUR, PAGE, call, escalate, page, signed_in, step, talk, turn, verdict
from tickets.models import AuditEntry, Conversation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    controls.forget()
    for tool in ALL:
        tool_breakers.note(tool, failed=False)
    yield
    controls.forget()


def pulses(name: str) -> tuple[Pulse, Pulse]:
    found = readings_of(Span.read(name))
    return found.now, found.before


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
    now, before = pulses("hour")
    assert (now.turns, now.conversations, now.escalated) == (3, 2, 1)
    assert now.cost_usd == Decimal("0.30")
    assert now.escalation_share == 0.5
    assert now.acceptance == 0.75
    assert now.cache_share == 0.75
    assert now.median_words == 20
    assert (before.turns, before.conversations, before.escalated) == (1, 1, 1)
    assert before.acceptance is None
    assert before.median_words is None
    longer, _ = pulses("day")
    assert longer.turns == 4


def test_tasks_of_the_staff_api_are_no_conversations_that_escalate(cast: Cast) -> None:
    task = talk(cast.owner)
    Conversation.objects.filter(pk=task.pk).update(channel=Conversation.Channel.TASK)
    turn(task, surface="background")
    now, _ = pulses("day")
    assert (now.turns, now.conversations, now.escalation_share) == (1, 0, None)


def bars(found: Readings, title: str) -> list[tuple[str, str, int]]:
    panels = [panel for section in sections(found) for panel in section.panels]
    return [(bar.name, bar.value, bar.width) for bar in next(one for one in panels if one.title == title).bars]  # type: ignore[union-attr]


def test_turns_by_path_and_models_by_cost(cast: Cast) -> None:
    conversation = talk(cast.owner)
    for path, usd, model in (("fast", "0.01", "small"), ("fast", "0.03", "small"), ("planned", "0.12", "large")):
        one = turn(conversation, path=path, cost_usd=Decimal(usd))
        step(one, model=f"claude-{model}", cost_usd=Decimal(usd))
    turn(conversation, path="", state="failed")
    found = readings_of(Span.read("day"))
    assert bars(found, "Turns by path") == [("Fast", "50.0%", 67), ("Planned", "25.0%", 33)]
    assert bars(found, "By model") == [("claude-large", "75.0%", 75), ("claude-small", "25.0%", 25)]
    assert found.paths["fast"]["cost_usd"] == Decimal("0.04")
    assert (found.now.turns, found.now.failed_turns) == (4, 1)


def test_an_empty_desk_and_a_span_that_is_none(client: Client, cast: Cast) -> None:
    shown = page(signed_in(client, cast), "?span=century&prompt=x&version=x&from=yesterday&to=2026-13-40")
    assert 'href="?span=day" aria-current="page"' in shown
    for words in ("Nothing in this time.", "No turn yet.", "No conversation was resolved.", "no conversation"):
        assert words in shown
    assert "NaN" not in shown
    assert "None" not in shown


def test_the_page_says_how_a_figure_moved(client: Client, cast: Cast) -> None:
    for ago in (HOUR, HOUR * 2, HOUR * 3, HOUR * 30, HOUR * 31):
        turn(talk(cast.owner), ago)
    figure = signed_in(client, cast).get(PAGE).context["figures"][0]
    assert (figure.label, figure.value, figure.change) == ("Conversations", "3", "+50%")


# Tools


def health(name: str, **disabled: bool) -> ToolHealth:
    found = tool_health(readings_of(Span.read("day")), frozenset(disabled))
    return next(tool for tool in found if tool.name == name)


def test_tool_health_counts_failures_and_how_long_calls_took(cast: Cast) -> None:
    one = turn(talk(cast.owner))
    for milliseconds in range(0, 101, 10):
        call(one, "lookup_order", duration_ms=milliseconds)
    for status in ("error", "error", "degraded", "not_found", "needs_verification"):
        call(one, "track_shipment", status)
    call(turn(talk(), HOUR * 30), "track_shipment", "error")
    call(one, "imagined_tool", "invalid_arguments")
    tools = tool_health(readings_of(Span.read("day")), frozenset({"update_customer"}))
    assert {tool.name for tool in tools} == {*ALL, "imagined_tool"}
    assert [tool.name for tool in tools[:2]] == ["track_shipment", "update_customer"]  # what is not well comes first
    ailing = health("track_shipment")
    assert (ailing.calls, ailing.errors, ailing.degraded, ailing.failure_share) == (5, 2, 1, 0.6)
    well = health("lookup_order")
    assert (well.failure_share, well.is_well) == (0, True)
    assert well.p50_ms == pytest.approx(50, rel=MOST_OFF)
    assert well.p95_ms == pytest.approx(100, rel=MOST_OFF)  # the nearest rank
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
    tools = tool_health(readings_of(Span.read("day")), frozenset())
    assert {tool.breaker for tool in tools} == {"unknown"}
    assert len(looks) == 1
    assert all(tool.is_well for tool in tools)


def test_every_bar_leads_to_the_conversations_behind_it(client: Client, cast: Cast) -> None:
    used, other = talk(cast.owner), talk(cast.other)
    call(turn(used, path="planned", topic="refund & co"), "lookup_order")
    step(turn(other, path="fast"), model="claude-haiku-5-5")
    shown = page(signed_in(client, cast))
    for query in ("path=planned", "model=claude-haiku-5-5", "topic=refund+%26+co", "surface=signed_in"):
        assert f'href="/admin/traces/?{query}&amp;since=' in shown
    assert "&amp;tool=lookup_order" in shown
    for query, found in (("tool=lookup_order", used), ("path=planned", used), ("model=claude-haiku-5-5", other)):
        name, _, value = query.partition("=")
        rows, _ = traces_page(TraceFilter.read({name: value}))
        assert [row.conversation for row in rows] == [found]
        answer = client.get(f"/admin/traces/?{query}")
        assert query in answer.context["query"]
        assert f'"{value}"' in answer.content.decode()


def test_every_bar_of_escalations_leads_to_them(client: Client, cast: Cast) -> None:
    """The customer's button and the assistant's steps alike, whatever the reason."""
    asked, legal, _ = talk(cast.owner), talk(cast.other), talk()
    escalate(asked, "asked")
    escalate(legal, "legal", timedelta(hours=3))
    Conversation.objects.update(created_at=timezone.now() - timedelta(hours=4))
    outcome = next(one for one in sections(readings_of(Span.read("day"))) if one.name == "outcome")
    bars = next(one for one in outcome.panels if isinstance(one, Columns) and one.title == "Escalations")
    signed_in(client, cast)
    behind = []
    for href in filter(None, (column.href for column in bars.columns)):
        answer = client.get(href)
        behind.append([row.conversation for row in answer.context["rows"]])
        assert '<option value="any" selected>Any reason</option>' in answer.content.decode()
    assert behind == [[legal], [asked]]


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
    shown = page(signed_in(client, cast), "controls/")
    assert f"/admin/support_agent/surfacelimit/{row.pk}/change/" in shown
    assert "1 customer or address reached 75%" in shown
    assert "76% of a customer&#x27;s limit is spent." in shown


def test_staff_change_the_hour_of_the_whole_system(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    assert "<b>$50.00</b>, of which" in page(client, "controls/")
    made = client.post("/admin/support_agent/systemlimit/add/", {"period": "hour", "usd": "2.00"})
    assert made.status_code == 302
    assert AuditEntry.objects.get().action == "systemlimit.add"
    now = timezone.now()
    Spend.objects.create(scope="system", key="all", period=now.strftime("%Y%m%d%H"), spent_usd="0.5", reserved_usd="1")
    Spend.objects.create(scope="system", key="all", period="2020010100", spent_usd="9")
    controls.forget()
    system = budgets(controls.controls(), now)[0]
    assert (system.limit, system.left, system.full) == (Decimal("2.00"), Decimal("0.5"), 0.75)
    assert "<b>$0.5000</b> left" in page(client)
    assert f"/admin/support_agent/systemlimit/{SystemLimit.objects.get().pk}/change/" in page(client, "controls/")
    turn(talk(cast.owner), timedelta(minutes=5), cost_usd=Decimal("2.5"))
    assert reading("Cost, an").is_tripped
    assert client.post("/admin/support_agent/systemlimit/add/", {"period": "hour", "usd": "0"}).status_code == 200
    assert SystemLimit.objects.count() == 1
