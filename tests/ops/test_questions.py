"""The saved questions: what each answers in words and figures, where its rows lead, and who may ask."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support_agent.models import Step
from support_agent.ops.questions import QUESTIONS
from support_agent.ops.questions.base import Answer, Asked
from support_agent.ops.selectors.spreads import Spread, spreads
from tests.cast import Cast
from tests.ops.made import call, escalate, signed_in, step, talk, turn

pytestmark = pytest.mark.django_db
HOME = "/admin/ops/questions/"


def answer(slug: str, **query: str) -> Answer:
    return QUESTIONS[slug].answer(Asked.read(query))


def table(slug: str, name: str, **query: str) -> list[list[object]]:
    return [[cell.raw for cell in row] for row in next(
        one for one in answer(slug, **query).tables if one.name == name).rows]  # fmt: skip


@pytest.mark.parametrize(("role", "wanted"), [("agent", 403), ("lead", 200), ("ops", 200), ("admin", 200)])
def test_who_may_ask(role: str, wanted: int, client: Client, cast: Cast) -> None:
    signed_in(client, cast, role)
    assert client.get(HOME).status_code == wanted
    for slug in QUESTIONS:
        assert client.get(f"{HOME}{slug}/").status_code == wanted, slug
        assert client.get(f"{HOME}{slug}/export.csv").status_code == wanted, slug


def test_everybody_else_is_sent_to_the_sign_in(client: Client, db: None) -> None:
    assert client.get(HOME)["Location"].startswith("/admin/login/")


def test_questions_without_data_say_so(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    for slug in QUESTIONS:
        shown = client.get(f"{HOME}{slug}/").content.decode()
        assert answer(slug).sentence
        assert "<table" not in shown, slug
    assert client.get(f"{HOME}nothing/").status_code == 404


def test_escalations_name_their_reason_and_last_tool_call(client: Client, cast: Cast) -> None:
    for n in range(3):
        conversation = talk()
        now = turn(conversation, timedelta(hours=2), topic="refund")
        call(now, "search_knowledge_base")
        call(now, "lookup_order", "error" if n else "success")
        call(now, "escalate_to_human")  # not what was tried
        escalate(conversation, "tool_failing" if n else "asked")
    escalate(talk(), "asked", timedelta(days=20))  # before the span
    silent = talk()
    turn(silent, timedelta(hours=2), topic="legal")
    escalate(silent, "legal")
    found = answer("escalations")
    assert "4 conversations escalated" in found.sentence
    assert "“A tool is failing” (50.0%)" in found.sentence
    assert "lookup_order was the last tool call before 2 of them" in found.sentence
    assert ["tool_failing", 2, 0.5, "lookup_order", "error"] in table("escalations", "reasons")
    assert ["lookup_order", "error", "tool_failing", 2, 0.5] in table("escalations", "last-calls")
    assert len(table("escalations", "reasons", topic="refund")) == 2
    assert len(table("escalations", "latest", tool="lookup_order")) == 3
    signed_in(client, cast)
    shown = client.get(f"{HOME}escalations/").content.decode()
    assert "reason=tool_failing" in shown
    assert "no tool before it" in shown


def test_long_turns_are_told_by_their_first_cause() -> None:
    def long(**more: object) -> list[Step]:
        now = turn(talk(), timedelta(hours=1), step_count=6, topic="refund", **more)
        return [step(now, "model_call") for _ in range(6)]

    long()
    long(attempt=2)
    rejected = long()
    Step.objects.filter(pk=rejected[3].pk).update(kind="critic", status="failed")
    failing = long()
    Step.objects.filter(pk=failing[2].pk).update(kind="tool_call", status="error")
    Step.objects.filter(pk=failing[3].pk).update(kind="critic", status="failed")
    looking = long()
    Step.objects.filter(pk__in=[one.pk for one in looking[:3]]).update(kind="tool_call", status="success")
    turn(talk(), step_count=5)
    found = {row[0]: row[1] for row in table("long-turns", "causes")}
    assert found == {"other": 1, "died": 1, "rejected": 1, "tool": 1, "lookups": 1}
    assert "5 turns of 6 (83.3%)" in answer("long-turns").sentence
    assert "None of 6 turns" in answer("long-turns", more_than="6").sentence
    assert table("long-turns", "topics")[0][:3] == ["refund", "fast", 5]


def test_tools_fail_by_what_they_said() -> None:
    now = turn(talk(), timedelta(hours=1))
    for _ in range(3):
        step(now, "tool_call", tool="lookup_order", status="success", duration_ms=10)
    for _ in range(2):
        step(now, "tool_call", tool="lookup_order", status="error", error="This took too long to fetch.")
    step(now, "tool_call", tool="track_shipment", status="not_found")
    step(now, "tool_call", tool="request_refund", status="invalid_arguments", output={"fields": {"amount": "missing"}})
    found = answer("failing-tools")
    assert "3 of 7 tool calls (42.9%) failed" in found.sentence
    assert "lookup_order: 2 times, 40.0% of its calls" in found.sentence
    assert "“This took too long to fetch”" in found.sentence
    tools = {row[0]: row[1:4] for row in table("failing-tools", "tools")}
    assert tools["lookup_order"] == [5, 2, 0.4]
    assert tools["track_shipment"][1] == 0  # not found is an answer
    ways = table("failing-tools", "ways")
    assert ways[0][:4] == ["lookup_order", "error", "This took too long to fetch.", 2]
    assert ["request_refund", "invalid_arguments", '{"amount": "missing"}', 1] in [row[:4] for row in ways]


def test_tokens_and_what_is_dear() -> None:
    now = turn(talk(), timedelta(hours=1), cost_usd="0.05", surface="paying", input_tokens=1000, output_tokens=900)
    for tokens in (100, 300, 500):
        step(now, "model_call", model="claude-sonnet-5-5", input_tokens=tokens, output_tokens=300, cost_usd="0.01")
    step(now, "plan", model="claude-haiku-5-5", cache_read_tokens=100, input_tokens=0, cost_usd="0.001")
    step(now, "observe")
    found = answer("tokens")
    assert "1,900 tokens cost $0.0310" in found.sentence
    assert "The dearest kind is output" in found.sentence
    kinds = {row[0]: row[1] for row in table("tokens", "token-kinds")}
    assert kinds == {"input_tokens": 900, "cache_read_tokens": 100, "cache_write_tokens": 0, "output_tokens": 900}
    first = table("tokens", "calls")[0]
    assert first[:3] == ["model_call", "claude-sonnet-5-5", 3]
    assert first[8] == 600  # the median call: 300 in, 300 out
    assert table("tokens", "surfaces")[0][0] == "paying"
    assert table("tokens", "conversations")[0][0] == now.conversation.reference


def test_slow_calls_and_their_examples() -> None:
    now = turn(talk(), timedelta(hours=1))
    for n in range(1, 101):
        step(now, "model_call", model="claude-opus-5-5", duration_ms=n * 100, ttft_ms=n * 10)
    step(now, "tool_call", tool="lookup_order", duration_ms=250)
    models = table("slow-calls", "models")[0]
    assert models[:3] == ["claude-opus-5-5", "model_call", 100]
    assert models[3] == pytest.approx(5050, rel=0.02)
    assert models[4] == pytest.approx(9505, rel=0.02)
    assert models[6] == pytest.approx(505, rel=0.02)
    slowest = table("slow-calls", "slowest")
    assert [row[5] for row in slowest[:3]] == [10_000, 9_900, 9_800]
    assert "model calls of claude-opus-5-5" in answer("slow-calls").sentence
    assert [row[0] for row in table("slow-calls", "tools", tool="lookup_order")] == ["lookup_order"]


def test_few_values_have_exact_percentiles() -> None:
    now = turn(talk())
    for value in (10, 20, 40, 1000):
        step(now, "tool_call", tool="x", duration_ms=value)
    spread = spreads(Step.objects.all(), ("tool",), "duration_ms")[("x",)]
    assert [spread.at(share) for share in (0, 0.5, 1)] == [10, 30, 1000]
    assert Spread().at(0.5) is None


def test_spans_and_filters_stand_in_the_address(client: Client, cast: Cast) -> None:
    old = turn(talk(), timedelta(days=20), step_count=9, surface="paying")
    step(old, "model_call")
    assert "None of 0 turns" in answer("long-turns").sentence
    day = (timezone.localdate() - timedelta(days=30)).isoformat()
    assert "1 turn of 1" in answer("long-turns", since=day).sentence
    assert "None of 0 turns" in answer("long-turns", since=day, surface="anonymous").sentence
    signed_in(client, cast)
    shown = client.get(
        f"{HOME}long-turns/?since={day}&surface=paying&prompt=x%22><script>&until=nonsense"
    ).content.decode()
    assert "<script>&" not in shown
    assert 'value="x&quot;&gt;&lt;script&gt;"' in shown


def test_columns_and_regions_have_names_of_their_own(client: Client, cast: Cast) -> None:
    call(turn(talk()), "lookup_order", status="error")
    shown = signed_in(client, cast).get(f"{HOME}failing-tools/").content.decode()
    assert re.search(r'<th scope="col"[^>]*>\s*</th>', shown) is None
    assert shown.count('"h-tools"') == 2  # the heading, and the section it names
    assert 'aria-label="By tool, the table"' in shown


def test_the_csv_is_the_table(client: Client, cast: Cast) -> None:
    now = turn(talk(), timedelta(hours=1))
    step(now, "tool_call", tool="=HYPERLINK()", status="error", error="no")
    signed_in(client, cast, "lead")
    got = client.get(f"{HOME}failing-tools/export.csv?table=tools")
    rows = list(csv.reader(io.StringIO(got.getvalue().decode())))
    assert rows[0][:3] == ["Tool", "Calls", "Failed"]
    assert rows[1][:3] == ["'=HYPERLINK()", "1", "1"]
    assert client.get(f"{HOME}failing-tools/export.csv?table=other").status_code == 404


def test_what_a_tool_says_cannot_run(client: Client, cast: Cast) -> None:
    now = turn(talk(), timedelta(hours=1))
    step(now, "tool_call", tool="lookup_order", status="error", error="<script>alert(1)</script>")
    signed_in(client, cast)
    shown = client.get(f"{HOME}failing-tools/").content.decode()
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert " style=" not in shown


@pytest.mark.parametrize("slug", list(QUESTIONS))
def test_a_question_takes_as_many_queries_for_much_as_for_little(slug: str, client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    counts = []
    for _ in range(2):
        for _ in range(3):
            now = turn(talk(), timedelta(hours=1), step_count=7)
            step(now, "model_call", model="claude-sonnet-5-5", input_tokens=10, output_tokens=5, duration_ms=20)
            step(now, "tool_call", tool="lookup_order", status="error", error="no")
            call(now, "lookup_order", "error")
            escalate(now.conversation, "asked")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{HOME}{slug}/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= 16
