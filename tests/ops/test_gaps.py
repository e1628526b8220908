"""The pages of gaps: what was asked, what colleagues answered, and the deeds; for leads and ops alone."""

from __future__ import annotations

import pytest
from django.test import Client

from support_agent.models import Gap, GapQuestion, Task, Turn
from support_agent.runtime.tasks import MAX_TASK
from tests.cast import Cast, make_cast
from tickets.services.conversations import conversation_claim, conversation_create
from tickets.services.messages import message_post
from tickets.services.replies import reply_post

ASKED = "Can I rent a <b>tent</b> for a weekend?"


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def gap(cast: Cast) -> Gap:
    made = Gap.objects.create()
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    turn = Turn.objects.create(conversation=conversation, surface="signed_in", state="answered", doubtful=True)
    message = message_post(conversation=conversation, client_message_id=turn.pk, text=ASKED, turn_id=turn.pk)
    GapQuestion.objects.create(
        gap=made, turn=turn, conversation=conversation, text=ASKED, why="unsure", asked_at=turn.created_at,
        vector=b"", embedder="none",
    )  # fmt: skip
    assert message
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Yes, Olivia, for 30.00.")
    return made


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_who_may_look(client: Client, cast: Cast, gap: Gap) -> None:
    paths = ["/admin/gaps/", f"/admin/gaps/{gap.pk}/"]
    assert [client.get(path).status_code for path in paths] == [302, 302]
    for user, status in (
        (cast.agent, 403),
        (cast.owner_user, 302),
        (cast.lead, 200),
        (cast.ops, 200),
        (cast.admin, 200),
    ):
        client.force_login(user)
        assert [client.get(path).status_code for path in paths] == [status, status]


def test_the_list_and_the_page_show_what_was_asked_and_answered(client: Client, cast: Cast, gap: Gap) -> None:
    client.force_login(cast.lead)
    listed = page(client, "/admin/gaps/")
    assert "Can I rent a &lt;b&gt;tent&lt;/b&gt; for a weekend?" in listed
    assert "1 customer" in listed
    shown = page(client, f"/admin/gaps/{gap.pk}/")
    assert "Yes, [name], for 30.00." in shown
    assert f"/admin/traces/{gap.questions.get().conversation_id}/?turn=" in shown
    assert "Nothing is open" not in listed
    assert "None." in page(client, "/admin/gaps/?state=covered")
    assert "Can I rent" in page(client, "/admin/gaps/?state=odd&page=-1")


def test_a_draft_is_one_click_and_one_task(client: Client, cast: Cast, gap: Gap) -> None:
    client.force_login(cast.lead)
    for _ in range(2):
        assert client.post(f"/admin/gaps/{gap.pk}/draft/").status_code == 302
    task = Task.objects.get()
    assert (task.purpose, task.requested_by) == ("article", cast.lead)
    assert len(task.task) < MAX_TASK
    assert "Yes, [name], for 30.00." in task.task
    assert "A draft is being written" in page(client, f"/admin/gaps/{gap.pk}/")


def test_dismissed_and_opened_again(client: Client, cast: Cast, gap: Gap) -> None:
    client.force_login(cast.ops)
    client.post(f"/admin/gaps/{gap.pk}/settle/", {"deed": "dismiss"})
    assert Gap.objects.get().state == "dismissed"
    assert "Nothing is open" in page(client, "/admin/gaps/")
    client.post(f"/admin/gaps/{gap.pk}/settle/", {"deed": "explode"})
    client.post(f"/admin/gaps/{gap.pk}/settle/", {"deed": "reopen"})
    assert Gap.objects.get().state == "open"


def test_agents_do_nothing_here(client: Client, cast: Cast, gap: Gap) -> None:
    client.force_login(cast.agent)
    assert client.post(f"/admin/gaps/{gap.pk}/draft/").status_code == 403
    assert client.post(f"/admin/gaps/{gap.pk}/settle/", {"deed": "dismiss"}).status_code == 403
    assert not Task.objects.exists()
