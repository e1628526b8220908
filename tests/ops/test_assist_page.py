"""A summary or draft on the page: suggested, inserted, sent as it was or changed, discarded; all in the audit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from support_agent.models import Task, Turn
from support_agent.runtime.endings import end_turns
from support_agent.runtime.recovery import sweep
from tests.cast import Cast
from tests.ops.threads import LIVE, audited, had_by, page, path
from tickets.models import AuditEntry, Conversation, Escalation, Message

pytestmark = pytest.mark.django_db
WORDS = "Hello Olivia,\n\nit is on its **way**.\n\nAgent"


@pytest.fixture
def conversation(client: Client, cast: Cast) -> Conversation:
    client.force_login(cast.agent)
    return had_by(cast.agent, cast.owner)


def made(client: Client, conversation: Conversation, purpose: str = "draft", result: str = WORDS) -> Task:
    """One that was asked for on the page and has been written."""
    assert client.post(path(conversation, f"assist/{purpose}/"), headers=LIVE).status_code == 200
    task = Task.objects.filter(purpose=purpose).latest("created_at")
    Turn.objects.filter(task=task).update(state="answered", cost_usd=Decimal("0.0123"))
    Task.objects.filter(pk=task.pk).update(state="done", result=result)
    return task


def test_it_is_asked_for_shown_with_its_cost_and_counted(client: Client, conversation: Conversation) -> None:
    fragment = client.post(path(conversation, "assist/draft/"), headers=LIVE).content.decode()
    assert "is being written" in fragment
    assert "data-poll" in fragment
    made(client, conversation)
    shown = page(client, conversation)
    assert "Suggested, not sent" in shown
    assert "it is on its <strong>way</strong>" in shown
    assert "$0.0123" in shown.partition('id="assists"')[2].partition('id="composer"')[0]
    assert "$0.0123 for summaries and drafts" in shown.partition('id="panel"')[2]
    assert "data-poll" not in shown
    assert audited("assist.draft")["about"] == ("", conversation.reference)
    assert not Message.objects.filter(conversation=conversation, role="staff").exists()


def test_inserted_and_sent_as_it_was(client: Client, conversation: Conversation) -> None:
    task = made(client, conversation)
    client.post(path(conversation, f"assist/{task.pk}/insert/"), headers=LIVE)
    assert "Inserted, not sent" in page(client, conversation)
    sent = {"text": f" {WORDS}\n", "draft_id": task.pk, "seen_seq": conversation.last_seq}
    assert client.post(path(conversation, "reply/"), sent, headers=LIVE).status_code == 200
    assert audited("assist.send")["text"] == (WORDS, f" {WORDS}\n")
    assert "AI draft</b>" not in page(client, conversation)


def test_inserted_and_changed_before_sending(client: Client, conversation: Conversation) -> None:
    task = made(client, conversation)
    client.post(path(conversation, "reply/"), {"text": "Something else", "draft_id": task.pk}, headers=LIVE)
    assert audited("assist.change")["text"] == (WORDS, "Something else")
    client.post(path(conversation, "reply/"), {"text": "More", "draft_id": task.pk}, headers=LIVE)
    assert AuditEntry.objects.filter(action="assist.change").count() == 1


def test_discarded(client: Client, conversation: Conversation) -> None:
    task = made(client, conversation, "summary")
    assert "Insert as note" in page(client, conversation)
    for _ in range(2):
        fragment = client.post(path(conversation, f"assist/{task.pk}/discard/"), headers=LIVE).content.decode()
        assert f"assist-{task.pk}" not in fragment
    assert AuditEntry.objects.filter(action="assist.discard").count() == 1


def test_without_a_script_the_page_comes_back_with_the_draft_in_it(client: Client, conversation: Conversation) -> None:
    task = made(client, conversation)
    answer = client.post(path(conversation, f"assist/{task.pk}/insert/"), follow=True)
    shown = answer.content.decode()
    assert f"{WORDS}</textarea>" in shown.replace("\r", "")
    assert f'id="draft-id" value="{task.pk}"' in shown


def test_a_held_reply_remembers_its_draft(client: Client, conversation: Conversation) -> None:
    task = made(client, conversation)
    answer = client.post(path(conversation, "reply/"), {"text": "x", "draft_id": task.pk, "seen_seq": 0}, headers=LIVE)
    assert answer.status_code == 409
    assert f'id="draft-id" value="{task.pk}"' in answer.content.decode()
    assert not AuditEntry.objects.filter(action__in=("assist.send", "assist.change")).exists()


def test_one_of_another_conversation_is_not_found(client: Client, cast: Cast, conversation: Conversation) -> None:
    task = made(client, conversation)
    other = had_by(cast.agent, cast.other)
    for deed in ("insert", "discard"):
        assert client.post(path(other, f"assist/{task.pk}/{deed}/"), headers=LIVE).status_code == 404
    refused = client.post(path(other, "reply/"), {"text": "x", "draft_id": task.pk}, headers=LIVE)
    assert refused.status_code == 404
    assert not Message.objects.filter(conversation=other, role="staff").exists()
    assert client.post(path(other, "assist/api/"), headers=LIVE).status_code == 404
    assert WORDS[:20] not in page(client, other, f"?draft={task.pk}")
    page(client, other, "?draft=nonsense")


def test_one_that_failed_says_so_and_can_be_dismissed(client: Client, conversation: Conversation) -> None:
    task = made(client, conversation)
    Task.objects.filter(pk=task.pk).update(state="stopped", result="Stopped before it was done: budget.")
    shown = page(client, conversation)
    assert "Stopped before it was done: budget." in shown
    assert "Suggested, not sent" not in shown
    assert "Dismiss" in shown


def own_of(task: Task) -> Conversation:
    """The conversation the task is worked on in."""
    return Conversation.objects.get(turns__task=task)


@pytest.mark.parametrize(
    ("deed", "form"), [("claim/", {}), ("close/", {}), ("snooze/", {"for": "60"}), ("await/", {"on": "true"})]
)
def test_a_background_task_is_nobodys_to_take(
    deed: str, form: dict[str, str], client: Client, conversation: Conversation
) -> None:
    client.post(path(conversation, "assist/draft/"), headers=LIVE)
    task = Task.objects.get()
    own = own_of(task)
    answer = client.post(path(own, deed), form, headers=LIVE | {"X-Inbox": "1"})
    assert answer.status_code == 409
    assert "background task" in answer.content.decode()
    own.refresh_from_db()
    assert (own.status, own.snoozed_until, own.awaits_customer) == ("ai", None, False)
    assert Turn.objects.get(task=task).state == "queued"


def test_a_background_task_offers_nothing_to_do(client: Client, cast: Cast, conversation: Conversation) -> None:
    client.post(path(conversation, "assist/draft/"), headers=LIVE)
    own = own_of(Task.objects.get())
    shown = page(client, own)
    assert "there is no customer in it" in shown
    for deed in ("claim/", "close/", "snooze/", "assist/draft/"):
        assert path(own, deed) not in shown
        assert deed == "claim/" or path(conversation, deed) in page(client, conversation)
    Escalation.objects.create(conversation=own, reason="unsure", team=cast.team, due_at=own.created_at)
    chosen = {"conversation": [str(own.pk)], "to": str(cast.lead.pk)}
    assert client.post("/admin/inbox/assign/", chosen, headers={"X-Inbox": "1"}).status_code == 409


def test_a_task_ends_with_its_turn_and_another_can_be_asked_for(client: Client, conversation: Conversation) -> None:
    client.post(path(conversation, "assist/draft/"), headers=LIVE)
    task = Task.objects.get()
    end_turns(own_of(task), "taken_over")
    task.refresh_from_db()
    assert task.state == "stopped"
    assert "Stopped before it was done." in page(client, conversation)
    client.post(path(conversation, "assist/draft/"), headers=LIVE)
    assert Task.objects.count() == 2


def test_a_task_whose_turn_was_over_before_is_not_waited_for(client: Client, conversation: Conversation) -> None:
    client.post(path(conversation, "assist/draft/"), headers=LIVE)
    old = Task.objects.get()
    Turn.objects.filter(task=old).update(state="escalated")
    assert "is being written" not in page(client, conversation)
    client.post(path(conversation, "assist/draft/"), headers=LIVE)
    assert Task.objects.count() == 2
    assert (sweep().tasks_stopped, sweep().tasks_stopped) == (1, 0)
    old.refresh_from_db()
    assert old.state == "stopped"
