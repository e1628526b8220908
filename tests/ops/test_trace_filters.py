"""The filters of traces and steps: each finds its own, in the span it says, and the files hold what the list shows."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support_agent.models import Turn
from support_agent.ops.selectors import patience as patient
from support_agent.ops.selectors.filters import TraceFilter
from support_agent.ops.selectors.steps import StepFilter
from tests.cast import Cast
from tests.ops.made import HOUR, call, escalate, signed_in, step, talk, turn
from tickets.models import Conversation, Feedback, Survey
from tickets.services.messages import message_assistant

pytestmark = pytest.mark.django_db
LIST, STEPS = "/admin/traces/", "/admin/traces/steps/"


@pytest.fixture
def ops(client: Client, cast: Cast) -> Client:
    return signed_in(client, cast)


def found(client: Client, **query: Any) -> list[Conversation]:
    rows = client.get(f"{LIST}?{urlencode(query)}").context["rows"]
    return [row.conversation for row in rows]


def steps(client: Client, **query: Any) -> list[Any]:
    return list(client.get(f"{STEPS}?{urlencode(query)}").context["rows"])


def a_thumb(conversation: Conversation, helpful: bool) -> None:
    said = message_assistant(conversation=conversation, text="Hello", turn_id=uuid4())
    Feedback.objects.create(message=said, helpful=helpful)


def make(name: str) -> Conversation:
    """A conversation that only the filter of this name finds."""
    conversation = talk()
    now = turn(conversation)
    late = timezone.now() - HOUR / 2 + timedelta(seconds=9)
    facts: dict[str, dict[str, Any]] = {
        "topic": {"topic": "tent care"}, "prompt": {"prompt_version": "assistant-db7-00aa"},
        "path": {"path": "planned"},
        "min_steps": {"step_count": 12}, "slower": {"finished_at": late}, "first_text": {"first_text_at": late},
        "surface": {"surface": "enterprise"}, "state": {"state": "failed"}, "min_cost": {"cost_usd": "0.4"},
    }  # fmt: skip
    if name in facts:
        Turn.objects.filter(pk=now.pk).update(**facts[name])
    elif name == "reason":
        escalate(conversation, "legal")
    elif name == "thumb":
        a_thumb(conversation, helpful=False)
    elif name == "max_rating":
        Survey.objects.create(conversation=conversation, rating=2, state="answered")
    elif name in ("locale", "channel"):
        Conversation.objects.filter(pk=conversation.pk).update(locale="de-CH", channel="widget")
    elif name == "tool":
        call(now, "cancel_order")
    else:
        step(now, "compress", model="claude-x", status="cut")
    return conversation


@pytest.mark.parametrize(
    ("name", "value"),
    [("topic", "tent care"), ("prompt", "assistant-db7"), ("path", "planned"), ("min_steps", 12), ("slower", 8000),
     ("first_text", 8000), ("surface", "enterprise"), ("state", "failed"), ("min_cost", "0.3"), ("reason", "legal"),
     ("thumb", "down"), ("max_rating", 2), ("locale", "de"), ("channel", "widget"), ("tool", "cancel_order"),
     ("kind", "compress"), ("model", "claude-x"), ("step_status", "cut")],
)  # fmt: skip
def test_each_filter_finds_its_own(name: str, value: object, ops: Client) -> None:
    other = talk()
    a_thumb(other, helpful=True)
    Survey.objects.create(conversation=other, rating=5, state="answered")
    step(turn(other, step_count=2), "model_call", model="claude-y")
    mine = make(name)
    assert found(ops, **{name: value}) == [mine]
    assert set(found(ops)) == {mine, other}
    assert f"{name}=" in ops.get(f"{LIST}?{urlencode({name: value})}").context["query"]


def test_what_is_asked_of_a_turn_holds_for_one_turn(ops: Client) -> None:
    mixed, both = talk(), talk()
    turn(mixed, state="failed", path="fast")
    turn(mixed, timedelta(hours=2), path="planned")
    turn(both, state="failed", path="planned")
    assert found(ops, state="failed", path="planned") == [both]


def test_what_is_asked_of_a_step_holds_for_one_step(ops: Client) -> None:
    mixed, both = turn(talk()), turn(talk())
    step(mixed, "tool_call", tool="lookup_order", status="success")
    step(mixed, "tool_call", tool="track_shipment", status="error")
    step(both, "tool_call", tool="lookup_order", status="error")
    assert found(ops, kind="tool_call", tool="lookup_order", step_status="error") == [both.conversation]


def test_turns_and_steps_are_looked_for_in_a_week_unless_any_time_is_asked_for(ops: Client) -> None:
    old = turn(talk(), timedelta(days=12), state="failed")
    Conversation.objects.filter(pk=old.conversation_id).update(
        created_at=old.created_at, last_message_at=old.created_at
    )
    assert found(ops) == [old.conversation]  # the newest need no span
    assert found(ops, state="failed") == []
    assert found(ops, state="failed", any="1") == [old.conversation]
    day = (timezone.localdate() - timedelta(days=12)).isoformat()
    assert found(ops, state="failed", since=day, until=day) == [old.conversation]
    shown = ops.get(f"{LIST}?state=failed").content.decode()
    assert "state=failed&amp;any=1" in shown


def test_a_time_of_day_ends_before_it_and_a_day_with_it(ops: Client) -> None:
    moment = timezone.now() - timedelta(days=2)
    now = turn(talk(), timedelta(days=2), state="failed")
    Conversation.objects.update(created_at=now.created_at)
    for until, wanted in ((moment - HOUR, []), (moment + HOUR, [now.conversation])):
        got = found(ops, state="failed", since=(moment - timedelta(days=1)).isoformat(), until=until.isoformat())
        assert got == wanted


def test_a_filter_is_its_own_address() -> None:
    query = {"q": "x", "state": "failed", "min_cost": "0.5", "slower": "20", "since": "2026-11-20T10:00:00+00:00",
             "until": "2026-11-21", "errors": "1", "any": "1", "prompt": "assistant-1"}  # fmt: skip
    read = TraceFilter.read(query)
    assert TraceFilter.read(dict(parse_qsl(read.as_query()))) == read
    assert StepFilter.read({"sort": "slowest", "slower": "9"}).as_query() == "slower=9&sort=slowest"


@pytest.mark.parametrize(
    "query", ["since=0001-01-01", "until=9999-12-31", "min_steps=1e9", "slower=99999999999999", "page=0", "page=x",
              "any=1&since=x", "max_rating=-3", "tool=%00", "q=%27%22%3Cscript%3E", "sort=x", "first_token=0.1"],
)  # fmt: skip
def test_odd_values_are_no_error(query: str, ops: Client) -> None:
    for page in (LIST, STEPS):
        answer = ops.get(f"{page}?{query}")
        assert answer.status_code == 200
        assert "<script>'" not in answer.content.decode()


def test_steps_are_found_by_what_they_are(ops: Client) -> None:
    now = turn(talk(), surface="paying", prompt_version="assistant-db2-ab")
    slow = step(now, "model_call", model="claude-opus-5-5", duration_ms=9000, ttft_ms=4000, cost_usd="0.2")
    bad = step(now, "tool_call", tool="lookup_order", status="error", error="<i>no</i>", duration_ms=5)
    step(turn(talk()), "model_call", model="claude-haiku-5-5", duration_ms=100, ttft_ms=90)
    assert steps(ops, slower=8000) == [slow]
    assert steps(ops, first_token=1000) == [slow]
    assert steps(ops, min_cost="0.1") == [slow]
    assert steps(ops, status="bad") == steps(ops, status="error") == steps(ops, tool="lookup_order") == [bad]
    assert set(steps(ops, surface="paying")) == set(steps(ops, prompt="assistant-db2")) == {slow, bad}
    assert set(steps(ops, q=now.conversation.reference)) == {slow, bad}
    assert steps(ops, sort="slowest")[0] == steps(ops, sort="dearest")[0] == steps(ops, sort="first_token")[0] == slow
    shown = ops.get(f"{STEPS}?status=bad").content.decode()
    assert "&lt;i&gt;no" in shown
    assert f"?turn={now.pk}#step-{bad.pk}" in shown


def test_steps_go_on_over_pages(ops: Client) -> None:
    now = turn(talk())
    made = {step(now, "observe").pk for _ in range(130)}
    first, second = steps(ops, kind="observe"), steps(ops, kind="observe", page=2)
    assert (len(first), len(second)) == (100, 30)
    assert {one.pk for one in first + second} == made


def test_the_list_of_steps_takes_as_many_queries_for_many_as_for_few(ops: Client) -> None:
    counts = []
    for _ in range(2):
        for _ in range(8):
            step(turn(talk()), "model_call", model="m")
        with CaptureQueriesContext(connection) as queries:
            ops.get(STEPS)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= 12


def test_files_hold_what_the_lists_show(ops: Client) -> None:
    now = turn(talk(), state="failed", cost_usd="0.25")
    step(now, "tool_call", tool="lookup_order", status="error", error="no")
    step(turn(talk()), "observe")
    listed = ops.get(f"{LIST}export.json?state=failed")
    assert listed.streaming
    assert [(row["reference"], row["errors"]) for row in json.loads(listed.getvalue())] == [
        (now.conversation.reference, 1)
    ]
    rows = list(csv.DictReader(io.StringIO(ops.get(f"{STEPS}export.csv?status=bad").getvalue().decode())))
    assert [(row["reference"], row["tool"]) for row in rows] == [(now.conversation.reference, "lookup_order")]
    assert len(json.loads(ops.get(f"{STEPS}export.json").getvalue())) == 2
    assert json.loads(ops.get(f"{STEPS}export.json?tool=nothing").getvalue()) == []


def test_what_takes_too_long_is_given_up_with_words(ops: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleeping(*args: Any, **kwargs: Any) -> Any:
        with patient.patience(0.05), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(2)")

    monkeypatch.setattr("support_agent.ops.views.traces.traces_page", sleeping)
    monkeypatch.setattr("support_agent.ops.views.traces.steps_page", sleeping)
    for page in (LIST, STEPS):
        assert "takes too long over this span" in ops.get(page).content.decode()
