"""The trace pages: who may see them, what they find, and that they stay cheap."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Count, Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support_agent.models import Step, ToolCall, Turn
from support_agent.ops.selectors.filters import TraceFilter
from support_agent.ops.selectors.traces import traces_page
from support_agent.ops.waterfall import WIDTH, Waterfall
from tests.seeded import demo
from tickets.models import Action, Conversation, Customer, Message, User
from tickets.services.actions import action_token

__all__ = ["demo"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


def signed_in(client: Client, username: str = "ops") -> Client:
    client.force_login(User.objects.get(username=username))
    return client


def found(**query: str) -> list[str]:
    rows, _ = traces_page(TraceFilter.read(query), limit=500)
    return [row.conversation.reference for row in rows]


def some_conversation(**wanted: object) -> Conversation:
    conversation = Conversation.objects.filter(**wanted).order_by("created_at").first()
    assert conversation is not None
    return conversation


@pytest.mark.parametrize("username", ["agent", "lead", "ops", "admin"])
def test_staff_of_every_role_read_them(username: str, client: Client) -> None:
    conversation = some_conversation()
    assert signed_in(client, username).get("/admin/traces/").status_code == 200
    assert client.get(f"/admin/traces/{conversation.pk}/").status_code == 200
    may_export = 403 if username == "agent" else 200
    assert client.get(f"/admin/traces/{conversation.pk}/export.json").status_code == may_export
    assert client.get("/admin/traces/export.csv").status_code == may_export
    page = client.get("/admin/traces/").content.decode()
    assert ("export.csv" in page) == (may_export == 200)
    assert ('href="/django-rq/"' in page) == (username in {"ops", "admin"})


def test_customers_and_strangers_are_sent_away(client: Client) -> None:
    conversation = some_conversation()
    paths = ("/admin/traces/", f"/admin/traces/{conversation.pk}/", f"/admin/traces/{conversation.pk}/export.json")
    customer = Customer.objects.exclude(user=None)[0]
    assert customer.user is not None
    for sign_in in (False, True):
        if sign_in:
            client.force_login(customer.user)
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/login/")


def test_staff_without_a_role_see_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("temp", is_staff=True))
    assert client.get("/admin/traces/").status_code == 403


def test_a_conversation_that_is_not_there_is_404(client: Client) -> None:
    assert signed_in(client).get("/admin/traces/00000000-0000-4000-8000-000000000000/").status_code == 404


def test_search_by_reference_email_number_and_id() -> None:
    conversation = some_conversation(customer__isnull=False)
    assert conversation.customer is not None
    assert found(q=conversation.reference) == [conversation.reference]
    assert found(q=conversation.reference.lower().replace("-", "")) == [conversation.reference]
    assert found(q=str(conversation.pk)) == [conversation.reference]
    assert conversation.reference in found(q=conversation.customer.email)
    call = ToolCall.objects.filter(tool="track_shipment").select_related("conversation").first()
    assert call is not None
    assert call.conversation.reference in found(q=f"what about {call.arguments['order_number'].lower()}")
    turn = Turn.objects.select_related("conversation").first()
    assert turn is not None
    assert found(q=str(turn.pk)) == [turn.conversation.reference]


def test_filters_hold_together() -> None:
    assert set(found(status="waiting")) == set(
        Conversation.objects.filter(status="waiting").values_list("reference", flat=True)
    )
    assert set(found(state="failed")) == set(
        Conversation.objects.filter(turns__state="failed").values_list("reference", flat=True)
    )
    assert set(found(surface="paying")) == set(
        Conversation.objects.filter(turns__surface="paying").values_list("reference", flat=True)
    )
    dear = Conversation.objects.annotate(usd=Sum("turns__cost_usd")).filter(usd__gte=Decimal("0.01"))
    assert set(found(min_cost="0.01")) == set(dear.values_list("reference", flat=True))
    failed = set(
        Step.objects.filter(status__in=["failed", "error"]).values_list("turn__conversation__reference", flat=True)
    )
    assert set(found(errors="1")) == failed
    day = some_conversation().last_message_at.date().isoformat()
    assert set(found(since=day, until=day)) == set(
        Conversation.objects.filter(last_message_at__date=day).values_list("reference", flat=True)
    )
    assert set(found(errors="1", surface="paying")) == set(found(errors="1")) & set(found(surface="paying"))


@pytest.mark.parametrize(
    "query", ["status=x", "since=yesterday", "min_cost=-1", "min_cost=NaN", "before=x", "q=%00", "before=2026-01-01~x"]
)
def test_what_cannot_be_read_is_as_good_as_not_given(query: str, client: Client) -> None:
    answer = signed_in(client).get(f"/admin/traces/?{query}")
    assert answer.status_code == 200
    assert len(answer.context["rows"]) == 50


def test_pages_follow_each_other_without_a_gap(client: Client) -> None:
    seen: list[str] = []
    url = "/admin/traces/?status=closed"
    signed_in(client)
    while url:
        context = client.get(url).context
        seen += [row.conversation.reference for row in context["rows"]]
        url = f"/admin/traces/?{context['older']}" if context["older"] else ""
    assert len(seen) == len(set(seen)) == Conversation.objects.filter(status="closed").count()
    ordered = Conversation.objects.filter(status="closed").order_by("-last_message_at", "-pk")
    assert seen == list(ordered.values_list("reference", flat=True))


def test_totals_of_the_list_are_those_of_the_turns() -> None:
    rows, _ = traces_page(TraceFilter(), limit=40)
    for row in rows:
        turns = row.conversation.turns.aggregate(
            usd=Sum("cost_usd"), steps=Sum("step_count"), read=Sum("cache_read_tokens"), n=Count("pk")
        )
        assert (row.totals.cost_usd, row.totals.steps) == (turns["usd"], turns["steps"])
        assert (row.totals.cache_read_tokens, row.totals.turns) == (turns["read"], turns["n"])


def test_the_list_takes_as_many_queries_for_many_rows_as_for_few(client: Client) -> None:
    signed_in(client)
    counts = []
    for query in ("status=human", ""):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/admin/traces/?{query}")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= 9


def test_a_trace_takes_as_many_queries_for_many_turns_as_for_one(client: Client) -> None:
    signed_in(client)
    by_turns = Conversation.objects.annotate(n=Count("turns")).filter(n__gt=0).order_by("n")
    counts = []
    for conversation in (by_turns.first(), by_turns.last()):
        assert conversation is not None
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/admin/traces/{conversation.pk}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= 19


def test_a_trace_shows_what_was_said_beside_what_was_done(client: Client) -> None:
    conversation = some_conversation(turns__steps__status="failed", turns__steps__kind="critic")
    page = signed_in(client).get(f"/admin/traces/{conversation.pk}/")
    shown = page.content.decode()
    blocks = [block for block, _ in page.context["blocks"]]
    events = [event for block in blocks for event in block.events]
    assert [event.seq for event in events] == list(range(1, conversation.last_seq + 1))
    assert sum(len(block.steps) for block in blocks) == Step.objects.filter(turn__conversation=conversation).count()
    for text in ("claude-", "kind-model_call", "is-bad", "unbacked_duration"):
        assert text in shown


def test_action_tokens_are_in_no_trace_and_no_export(client: Client) -> None:
    action = Action.objects.filter(state="done").first()
    assert action is not None
    token = action_token(
        action_id=action.pk,
        conversation_id=action.conversation_id,
        customer_id=action.customer_id,
        tool=action.tool,
        arguments=action.arguments,
        expires_at=action.expires_at,
    )
    signed_in(client)
    for path in (f"/admin/traces/{action.conversation_id}/", f"/admin/traces/{action.conversation_id}/export.json",
                 f"/admin/inbox/{action.conversation_id}/"):  # fmt: skip
        answer = client.get(path).content.decode()
        assert action.summary in answer
        assert token not in answer


def test_what_a_customer_or_a_tool_says_cannot_run(client: Client) -> None:
    attack = "<script>alert(1)</script>"
    conversation = some_conversation()
    Message.objects.filter(conversation=conversation, role="customer").update(author=attack)
    step = Step.objects.filter(turn__conversation=conversation, kind="model_call").first()
    assert step is not None
    step.output, step.error = {"text": attack}, attack
    step.save()
    signed_in(client)
    for page in ("traces", "inbox"):
        answer = client.get(f"/admin/{page}/{conversation.pk}/")
        assert attack not in answer.content.decode()
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert " style=" not in answer.content.decode()


def test_the_csv_holds_the_filtered_rows_and_no_formulas(client: Client) -> None:
    conversation = some_conversation(status="waiting")
    Conversation.objects.filter(pk=conversation.pk).update(topic="=1+1")
    answer = signed_in(client).get("/admin/traces/export.csv?status=waiting")
    text = answer.getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["reference"] for row in rows} == set(found(status="waiting"))
    assert {row["topic"] for row in rows} >= {"'=1+1"}
    assert all(Decimal(row["cost_usd"]) > 0 for row in rows)


def test_the_json_is_the_commands(client: Client) -> None:
    conversation = some_conversation(status="waiting")
    answer = signed_in(client).get(f"/admin/traces/{conversation.pk}/export.json")
    assert json.loads(answer.content)["conversation"]["reference"] == conversation.reference
    assert f'filename="{conversation.reference}.json"' in answer["Content-Disposition"]


def test_bars_lie_within_their_turn() -> None:
    for turn in Turn.objects.prefetch_related("steps")[:60]:
        fall = Waterfall.of(turn, sorted(turn.steps.all(), key=lambda step: step.index))
        assert fall is not None
        assert fall.total_ms > 0
        for bar in fall.bars:
            assert 0 <= bar.x < bar.x + bar.width <= WIDTH
            assert bar.wait <= bar.width
    assert Waterfall.of(None, []) is None
