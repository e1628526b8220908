"""The replay's pages: who may see and start one, what stands side by side, and how it is kept as a case."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support_agent.models import Replay, SavedCase, Turn
from support_agent.runtime.replay_compare import words
from tests.cast import Cast
from tests.replay.made import ANSWERED, ended_turn
from tickets.models import AuditEntry

pytestmark = pytest.mark.django_db
ROLES = [("agent", False), ("lead", True), ("ops", True), ("admin", True)]


@pytest.fixture
def turn(cast: Cast) -> Turn:
    return ended_turn(cast.owner)


@pytest.fixture
def replay(turn: Turn) -> Replay:
    steps = [
        {"index": 0, "kind": "plan", "model": "claude-opus-5-5", "input": {}, "output": {"goal": "Other."},
         "how": "taken over"},
        {"index": 1, "kind": "tool_call", "tool": "lookup_order", "input": {"order_number": "AP-100002"},
         "output": {"status": "success"}, "status": "success", "how": "read"},
        {"index": 2, "kind": "escalate", "input": {}, "output": {"reason": "unsure"}, "status": "escalated"},
    ]  # fmt: skip
    zero = {"input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0}
    whole = [{"status": "ok", "cost_usd": 0.01, "duration_ms": 5, **zero, **step} for step in steps]
    return Replay.objects.create(
        turn=turn, state="done", outcome="escalated", text="Order AP-100001 has gone <b>missing</b>.", steps=whole
    )


@pytest.mark.parametrize(("role", "may_start"), ROLES)
def test_everyone_reads_and_few_start(role: str, may_start: bool, client: Client, cast: Cast, replay: Replay) -> None:
    client.force_login(getattr(cast, role))
    form = f"/admin/ops/replays/of/{replay.turn_id}/"
    for path in ("/admin/ops/replays/", form, f"{form}?part=1", f"/admin/ops/replays/{replay.pk}/"):
        answer = client.get(path)
        assert answer.status_code == 200
    assert ("Replay</button>" in client.get(form).content.decode()) == may_start
    assert client.post(form, {"from_step": "0"}).status_code == (302 if may_start else 403)
    assert Replay.objects.count() == 1 + may_start
    saved = client.post("/admin/ops/cases/save/", {"turn": str(replay.turn_id)})
    assert saved.status_code == (302 if may_start else 403)


def test_customers_and_strangers_are_sent_away(client: Client, cast: Cast, replay: Replay) -> None:
    for user in (None, cast.owner_user):
        if user:
            client.force_login(user)
        for path in ("/admin/ops/replays/", f"/admin/ops/replays/{replay.pk}/", "/admin/ops/cases/saved.yaml"):
            assert client.get(path)["Location"].startswith("/admin/login/")


def test_the_form_starts_a_replay(client: Client, cast: Cast, turn: Turn) -> None:
    client.force_login(cast.ops)
    trace = client.get(f"/admin/traces/{turn.conversation_id}/").content.decode()
    assert f"/admin/ops/replays/of/{turn.pk}/?part=1" in trace
    answer = client.post(
        f"/admin/ops/replays/of/{turn.pk}/", {"from_step": "3", "model": "large", "prompt": "file", "other_model": ""}
    )
    made = Replay.objects.get()
    assert answer["Location"] == f"/admin/ops/replays/{made.pk}/"
    assert (made.from_step, made.model, made.prompt_version, made.asked_by) == (3, "large", "file", cast.ops)
    assert AuditEntry.objects.filter(action="replay.start", actor=cast.ops).exists()
    page = client.get(answer["Location"]).content.decode()
    assert 'hx-trigger="every 1s"' in page  # it goes on
    assert "Save the case" not in page


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"from_step": "9"}, "There is no step 9; this turn&#x27;s steps are 0 to 4."),
        ({"from_step": "x"}, "A step is a number."),
        ({"from_step": "0", "other_model": "gpt-17"}, "There is no model “gpt-17”"),
        ({"from_step": "0", "prompt": "42"}, "There is no version “42” of the prompt assistant"),
    ],
)
def test_what_cannot_be_replayed_is_said(
    form: dict[str, str], said: str, client: Client, cast: Cast, turn: Turn
) -> None:
    client.force_login(cast.ops)
    answer = client.post(f"/admin/ops/replays/of/{turn.pk}/", form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Replay.objects.exists()


def test_a_turn_that_runs_is_not_replayed(client: Client, cast: Cast, turn: Turn) -> None:
    Turn.objects.filter(pk=turn.pk).update(state="running")
    client.force_login(cast.ops)
    assert "The turn has not ended yet." in client.get(f"/admin/ops/replays/of/{turn.pk}/").content.decode()
    assert client.post(f"/admin/ops/replays/of/{turn.pk}/", {"from_step": "0"}).status_code == 422


def test_steps_words_and_outcome_stand_side_by_side(client: Client, cast: Cast, replay: Replay) -> None:
    client.force_login(cast.agent)
    answer = client.get(f"/admin/ops/replays/{replay.pk}/")
    pairs = [shown.pair for shown in answer.context["page"].pairs]
    told = [(p.original and p.original["kind"], p.replayed and p.replayed["kind"], set(p.differs)) for p in pairs]
    assert told == [
        ("plan", "plan", set()),
        ("model_call", None, set()),
        ("tool_call", "tool_call", {"result", "arguments"}),
        ("model_call", None, set()),
        ("critic", None, set()),
        (None, "escalate", set()),
    ]
    page = answer.content.decode()
    assert "&lt;b&gt;missing&lt;/b&gt;" in page
    assert "<b>missing" not in page
    assert "unsure" in page
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert " style=" not in page


def test_words_are_compared_one_by_one() -> None:
    assert list(words("It is paid", "It is not paid")) == [("same", "It is "), ("added", "not "), ("same", "paid")]
    assert list(words("the same", "the same")) == [("same", "the same")]
    for before, after in (("a b c", "a c"), ("", "new"), ("old", "")):
        found = list(words(before, after))
        assert "".join(text for kind, text in found if kind != "added") == before
        assert "".join(text for kind, text in found if kind != "removed") == after


def test_the_list_takes_as_many_queries_for_many(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    counts = []
    for more in (1, 5):
        for _ in range(more):
            Replay.objects.create(turn=ended_turn(cast.owner), asked_by=cast.ops)
        with CaptureQueriesContext(connection) as queries:
            client.get("/admin/ops/replays/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_turn_is_kept_as_a_case_under_a_free_name(client: Client, cast: Cast, turn: Turn) -> None:
    client.force_login(cast.lead)
    for name in ("where-is-my-order", "where-is-my-order"):  # a case of the files has the name
        answer = client.post("/admin/ops/cases/save/", {"turn": str(turn.pk), "name": name}, follow=True)
    assert "The name where-is-my-order was taken." in answer.content.decode()
    names = set(SavedCase.objects.values_list("name", flat=True))
    assert names == {"where-is-my-order-2", "where-is-my-order-3"}
    case = SavedCase.objects.get(name="where-is-my-order-2")
    exported = client.get(f"/admin/ops/cases/{case.pk}.yaml")
    assert exported["Content-Disposition"] == 'attachment; filename="where-is-my-order-2.yaml"'
    assert exported.content.decode() == case.yaml
    assert ANSWERED not in case.yaml
    assert b"where-is-my-order-3" in client.get("/admin/ops/cases/saved.yaml").content


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("- id: kept\n  customer: owner\n  steps: [hello]\n expect: 1", "this is no YAML: line 4"),
        ("hello", "it must be a list of one case"),
        ("- {id: kept, customer: boss, steps: [hello], expect: {outcome: resolved}}", "customer: Input should be"),
        ("- {id: else, customer: owner, steps: [hello], expect: {outcome: resolved}}", "its id must be its name"),
        (
            "- {id: kept, customer: owner, steps: ['{paid_order}'], expect: {outcome: resolved}}",
            "{paid_order} is nothing",
        ),
        ("- {id: kept, customer: owner, steps: ['{customer.emial}'], expect: {outcome: resolved}}", "{customer.emial}"),
    ],
)
def test_the_admin_says_what_is_wrong_with_a_case(yaml: str, said: str, client: Client, cast: Cast) -> None:
    good = "- {id: kept, customer: owner, steps: [hello], expect: {outcome: resolved}}"
    case = SavedCase.objects.create(name="kept", yaml=good)
    client.force_login(cast.ops)
    url = f"/admin/support_agent/savedcase/{case.pk}/change/"
    answer = client.post(url, {"name": "kept", "yaml": yaml})
    assert answer.status_code == 200
    assert any(said in error for error in answer.context["adminform"].form.errors["yaml"])
    assert SavedCase.objects.get().yaml == good
    assert client.post(url, {"name": "kept", "yaml": good.replace("hello", "hi")}).status_code == 302
    assert "hi" in SavedCase.objects.get().yaml
