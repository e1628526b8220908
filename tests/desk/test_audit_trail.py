"""Every act of staff is in the audit trail, with what was before and what is after."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.models import Alert, PromptVersion, SpotCheck, Switch, Turn
from support_agent.runtime.alerts import alert_acknowledge
from support_agent.runtime.controls import forget, switch_off, switch_on, switch_override
from support_agent.runtime.eval_runs import run_create
from support_agent.runtime.prompting import prompt_activate, prompt_save, prompt_use_file
from support_agent.runtime.spot_checks import spot_label_begin, spot_label_judge
from tests.cast import Cast
from tests.desk.waiting import again, asks, escalation_of
from tickets.models import Action, AuditEntry, Conversation, Team
from tickets.services.actions import action_approve
from tickets.services.assignment import availability_set, escalation_assign
from tickets.services.conversations import conversation_claim, conversation_close, conversation_hand_back
from tickets.services.messages import message_assistant
from tickets.services.queues import escalation_move
from tickets.services.replies import reply_post
from tickets.services.snooze import conversation_await_customer, conversation_snooze
from tickets.services.workspace import team_change, workspace_change

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent.parent
Changes = dict[str, tuple[str, str]]


@pytest.fixture(autouse=True)
def switches_of_others_forgotten() -> Iterator[None]:
    """What is switched here is kept for seconds: the next test must not find it."""
    yield
    forget()


class Desk:
    """A waiting conversation, and the people who act on it."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.talk = asks(cast.owner)

    def taken(self) -> Conversation:
        conversation_claim(conversation_id=self.talk.pk, staff=self.cast.agent)
        return self.talk

    def assign(self, to: str) -> int:
        person = getattr(self.cast, to) if to else None
        return escalation_assign(escalation_ids=[escalation_of(self.talk).pk], to=person, actor=self.cast.lead)

    def action(self) -> Action:
        return Action.objects.create(
            conversation=self.talk, customer=self.cast.owner, idempotency_key="k", tool="request_refund",
            arguments={"order_number": "AP-100001", "amount": "150.00", "reason": "Torn"}, summary="Refund",
            state=Action.State.AWAITING_STAFF, expires_at=timezone.now() + timedelta(minutes=30),
        )  # fmt: skip

    def judged(self) -> SpotCheck:
        """A drawn answer, of which the agent has said whether a person was needed."""
        turn = Turn.objects.create(conversation=self.talk, surface="signed_in", state="answered")
        message_assistant(conversation=self.talk, text="It is paid.", turn_id=turn.pk)
        check = SpotCheck.objects.create(turn=turn)
        spot_label_begin(check_id=check.pk, staff=self.cast.agent, needs_person=True)
        return check

    def switch(self) -> Switch:
        return switch_on(name="pause_new", staff=None, reason="many escalate")

    def prompt(self) -> PromptVersion:
        return prompt_save(name="assistant", text="Be kind.", note="", staff=self.cast.lead)


Deed = Callable[[Desk], object]
# (what is done, the action it is written down as, what changed: before and after; None is "whatever, but different")
DEEDS: list[tuple[str, Deed, dict[str, tuple[str, str] | None]]] = [
    ("conversation.claim", lambda d: d.taken(), {"status": ("waiting", "human"), "assignee": ("", "agent")}),
    (
        "conversation.hand_back",
        lambda d: conversation_hand_back(conversation=d.taken(), staff=d.cast.agent, instruction="Be brief."),
        {"status": ("human", "ai"), "assignee": ("agent", ""), "instruction": ("", "Be brief.")},
    ),
    (
        "conversation.close",
        lambda d: conversation_close(conversation=d.taken(), actor=d.cast.agent),
        {"status": ("human", "closed")},
    ),
    (
        "message.reply",
        lambda d: reply_post(conversation_id=d.taken().pk, staff=d.cast.agent, text="Hello."),
        {"seq": None},
    ),
    ("conversation.assign", lambda d: d.assign("agent"), {"assigned_to": ("", "agent")}),
    ("conversation.assign", lambda d: (d.assign("agent"), d.assign("")), {"assigned_to": ("agent", "")}),
    ("conversation.transfer", lambda d: (d.taken(), d.assign("admin")), {"assignee": ("agent", "admin")}),
    (
        "conversation.returned",
        lambda d: (d.taken(), d.assign("")),
        {"status": ("human", "waiting"), "assignee": ("agent", "")},
    ),
    (
        "conversation.move",
        lambda d: escalation_move(
            escalation_ids=[escalation_of(d.talk).pk],
            team=Team.objects.create(slug="support", name="Support"),
            actor=d.cast.lead,
        ),
        {"team": ("billing", "support")},
    ),
    (
        "conversation.snooze",
        lambda d: conversation_snooze(
            conversation=d.talk, staff=d.cast.agent, until=timezone.now() + timedelta(hours=1)
        ),
        {"snoozed_until": None},
    ),
    (
        "conversation.await_customer",
        lambda d: conversation_await_customer(conversation=d.taken(), staff=d.cast.agent, on=True),
        {"awaits_customer": ("False", "True")},
    ),
    (
        "staff.availability",
        lambda d: availability_set(staff=d.cast.agent, availability="busy", actor=d.cast.lead),
        {"availability": ("available", "busy")},
    ),
    (
        "action.approve",
        lambda d: action_approve(action_id=d.action().pk, staff=d.cast.agent, approve=True),
        {"state": ("awaiting_staff", "done")},
    ),
    (
        "switch.on",
        lambda d: switch_on(name="pin_small", staff=d.cast.ops, reason="dear"),
        {"state": ("off", "on"), "reason": ("", "dear")},
    ),
    (
        "switch.off",
        lambda d: (d.switch(), switch_off(name="pause_new", staff=d.cast.ops, reason="all well")),
        {"state": ("on", "off"), "reason": ("many escalate", "all well")},
    ),
    (
        "switch.override",
        lambda d: switch_override(switch=d.switch(), staff=d.cast.lead, reason="a false alarm"),
        {"overridden_until": None, "reason": ("many escalate", "a false alarm")},
    ),
    ("prompt.save", lambda d: d.prompt(), {"number": ("", "1")}),
    (
        "prompt.activate",
        lambda d: prompt_activate(version=d.prompt(), staff=d.cast.lead, reason="It cannot wait."),
        {"active": ("", "1"), "gate": ("", "none"), "reason": ("", "It cannot wait.")},
    ),
    (
        "prompt.use_file",
        lambda d: (
            prompt_activate(version=d.prompt(), staff=d.cast.lead, reason="It cannot wait."),
            prompt_use_file(name="assistant", staff=d.cast.ops),
        ),
        {"active": ("1", "")},
    ),
    ("spot_label.begin", lambda d: d.judged(), {"needs_person": ("", "told at closing")}),
    (
        "spot_label.judge",
        lambda d: spot_label_judge(check_id=d.judged().pk, staff=d.cast.agent, accuracy="inaccurate", note="No."),
        {"accuracy": ("", "told at closing")},
    ),
    (
        "alert.acknowledge",
        lambda d: alert_acknowledge(alert=Alert.objects.create(kind="sla", key="k", text="Late."), staff=d.cast.ops),
        {"acknowledged_at": None},
    ),
    (
        "evals.start",
        lambda d: run_create(kind="gate", prompt=d.prompt(), staff=d.cast.lead),
        {"kind": ("", "gate"), "model": ("", "demo"), "repeat": ("", "1"), "prompt": ("", "assistant 1")},
    ),
    (
        "workspace.change",
        lambda d: workspace_change(staff=d.cast.admin, values={"name": "Fjell Cycles"}),
        {"name": ("Alder & Pine", "Fjell Cycles")},
    ),
    (
        "team.change",
        lambda d: team_change(staff=d.cast.admin, team=d.cast.team, name="Faktura", email=""),
        {"name": ("Billing", "Faktura")},
    ),
]


@pytest.mark.parametrize(("action", "deed", "expected"), DEEDS, ids=[f"{n}-{row[0]}" for n, row in enumerate(DEEDS)])
def test_an_act_is_written_down_with_before_and_after(
    action: str, deed: Deed, expected: dict[str, tuple[str, str] | None], cast: Cast
) -> None:
    deed(Desk(cast))
    entry = AuditEntry.objects.filter(action=action).latest("created_at")
    assert entry.actor in (cast.agent, cast.lead, cast.ops, cast.admin)
    changes = {value.field: (value.before, value.after) for value in entry.values.all()}
    assert entry.fields == list(changes)
    for field, wanted in expected.items():
        before, after = changes[field]
        assert before != after
        assert wanted in (None, (before, after))


def test_a_limit_changed_in_the_admin_too(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    sent = {"surface": "anonymous", "conversation": "0.75"}
    assert client.post("/admin/support_agent/surfacelimit/add/", sent).status_code == 302
    entry = AuditEntry.objects.get(action="surfacelimit.add")
    changes = {value.field: (value.before, value.after) for value in entry.values.all()}
    assert changes["conversation"] == ("", "0.75")
    assert entry.actor == cast.ops


def test_a_refused_act_leaves_no_entry(cast: Cast) -> None:
    desk = Desk(cast)
    desk.taken()
    count = AuditEntry.objects.count()
    desk.assign("agent")  # theirs already
    conversation_snooze(conversation=desk.talk, staff=cast.agent, until=None)  # not snoozed
    availability_set(staff=cast.agent, availability="available")
    assert AuditEntry.objects.count() == count
    assert again(desk.talk).assignee == cast.agent


WRITERS = ("tickets/services", "support_agent/runtime")
ACTORS = {"staff", "actor", "author", "made_by"}
# What staff cause without changing a record of anybody's.
NO_DEED = {
    "seen_now",  # presence
    "ask_again",  # who comes back is asked again: part of availability_set
    "message_staff",  # the message itself; reply_post writes it down
    "messages_seen",  # reading
    "read_to",  # reading
}
# An act that has no before and after: something was looked at, or left.
NOTHING_CHANGES = {"support_agent/runtime/assists.py"}


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for folder in WRITERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef):
                    yield str(path.relative_to(ROOT)), node


def called(node: ast.AST) -> set[str]:
    names = {call.func for call in ast.walk(node) if isinstance(call, ast.Call)}
    return {func.id if isinstance(func, ast.Name) else func.attr for func in names
            if isinstance(func, ast.Name | ast.Attribute)}  # fmt: skip


def test_every_service_that_staff_call_writes_it_down() -> None:
    """By what calls what: whoever takes a person leads to `audit`, so that a new service cannot forget it."""
    calls: dict[str, set[str]] = {}
    for _, node in functions():
        calls.setdefault(node.name, set()).update(called(node))
    reaching = {"audit"}
    while more := {name for name, names in calls.items() if names & reaching} - reaching:
        reaching |= more
    silent = {
        f"{path}: {node.name}"
        for path, node in functions()
        if not node.name.startswith("_")
        and node.name not in reaching | NO_DEED
        and ACTORS & {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
        and any(statement in ast.dump(node) for statement in ("'save'", "'update'", "'create'", "'delete'"))
    }
    assert not silent


def test_every_entry_names_what_changed() -> None:
    without = {
        str(path.relative_to(ROOT))
        for folder in ("tickets", "support_agent")
        for path in (ROOT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "audit"
        and not any(keyword.arg == "changes" for keyword in call.keywords)
    }
    assert without <= NOTHING_CHANGES
