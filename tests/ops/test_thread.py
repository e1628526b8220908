"""One thread: live fragments, who wins a take-over, replies that are held, and what each deed leaves in the audit."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support_agent.runtime.controls import controls, forget
from tests.cast import Cast
from tests.ops.threads import LIVE, audited, had_by, page, path, say, waiting
from tickets.models import Article, AuditEntry, Message, ReadMark
from tickets.services.articles import article_save
from tickets.services.messages import message_staff
from tickets.services.notes import note_add

pytestmark = pytest.mark.django_db


def test_what_came_after_a_seq_comes_as_a_fragment(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    seq = conversation.last_seq
    say(conversation, "Are you <b>there</b>?")
    fragment = client.get(path(conversation, f"events/?after={seq}")).content.decode()
    assert "Are you &lt;b&gt;there&lt;/b&gt;?" in fragment
    assert "Where is my tent?" not in fragment.partition("data-region")[0]
    conversation.refresh_from_db()
    assert f'data-seq="{conversation.last_seq}"' in fragment
    assert "<html" not in fragment


def test_a_fragment_brings_notes_of_the_last_moments_too(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    opened = client.get(path(conversation)).context["since"]
    note_add(conversation_id=conversation.pk, author=cast.lead, text="Known customer.")
    answer = client.get(path(conversation, "events/"), {"after": conversation.last_seq, "since": opened})
    assert "Known customer." in answer.content.decode()


@pytest.mark.parametrize("query", ["after=x", "after=", "after=-1", "since=never", "before=", "after=9" + "9" * 30])
def test_a_nonsense_cursor_is_no_error(query: str, client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    assert client.get(path(waiting(cast.owner), f"events/?{query}")).status_code == 200


def test_earlier_messages_come_by_page(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner, "the very first")
    for number in range(160):
        say(conversation, f"line {number}")
    client.force_login(cast.agent)
    shown = page(client, conversation)
    assert "line 159" in shown
    assert "the very first" not in shown
    older = client.get(path(conversation)).context["older"]
    earlier = page(client, conversation, f"events/?before={older}")
    assert "the very first" in earlier
    assert "Earlier messages" not in earlier
    assert "the very first" in page(client, conversation, f"?before={older}")  # the same without a script


def test_opening_reads_the_thread(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.agent)
    page(client, conversation)
    assert ReadMark.objects.get(user=cast.agent, conversation=conversation).seq == conversation.last_seq
    say(conversation, "And?")
    client.get(path(conversation, "events/"), {"after": 0})
    assert ReadMark.objects.get(user=cast.agent).seq == conversation.last_seq - 1  # a hidden page reads nothing
    client.get(path(conversation, "events/"), {"after": 0, "seen": 1})
    assert ReadMark.objects.get(user=cast.agent).seq == conversation.last_seq


def test_who_loses_the_take_over_sees_who_won(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.lead)
    answer = client.post(path(conversation, "claim/"), headers=LIVE)
    assert answer.status_code == 409
    fragment = answer.content.decode()
    assert "Agent has already taken this conversation." in fragment
    assert 'data-mode="other"' in fragment
    assert audited("conversation.claim")["assignee"][1]


def test_a_reply_is_held_when_the_customer_wrote_meanwhile(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    seen = conversation.last_seq
    say(conversation, "Forget it, I found it")
    words = {"text": "It is on its way.", "seen_seq": seen}
    answer = client.post(path(conversation, "reply/"), words, headers=LIVE)
    assert answer.status_code == 409
    fragment = answer.content.decode()
    assert "Held, not sent." in fragment
    assert "Forget it, I found it" in fragment.partition('id="held"')[2]
    assert "It is on its way.</textarea>" in fragment
    assert "Send anyway" in fragment
    assert not Message.objects.filter(conversation=conversation, role="staff").exists()
    again = {**words, "seen_seq": answer.context["seen_seq"]}
    assert client.post(path(conversation, "reply/"), again, headers=LIVE).status_code == 200
    assert Message.objects.get(conversation=conversation, role="staff").text == "It is on its way."


def test_a_held_reply_keeps_its_words_without_a_script(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    seen = conversation.last_seq
    say(conversation, "One more thing")
    answer = client.post(path(conversation, "reply/"), {"text": "My answer", "seen_seq": seen})
    shown = answer.content.decode()
    assert "My answer</textarea>" in shown
    assert f'id="seen-seq" value="{conversation.last_seq}"' in shown


def test_ones_own_words_and_the_systems_hold_nothing(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    seen = conversation.last_seq
    for _ in range(2):
        client.post(path(conversation, "reply/"), {"text": "Part", "seen_seq": seen})
    assert Message.objects.filter(conversation=conversation, role="staff").count() == 2
    message_staff(conversation=conversation, staff=cast.lead, text="I helped too")
    assert client.post(path(conversation, "reply/"), {"text": "x", "seen_seq": seen}, headers=LIVE).status_code == 409


def test_linked_articles_become_the_replys_sources(client: Client, cast: Cast) -> None:
    article_save(
        slug="returns", title="Returns", category="product", body="Within 30 days.", status="published", actor=None
    )
    Article.objects.create(slug="secret", title="Secret", category="product", body="x")
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    found = client.get(path(conversation, "articles/"), {"q": "returns"}).content.decode()
    assert 'data-insert="[Returns](/help/returns/)"' in found
    text = "See [Returns](/help/returns/) and [that](/help/secret/) and [more](https://evil.example/help/returns/)"
    client.post(path(conversation, "reply/"), {"text": text})
    reply = Message.objects.get(conversation=conversation, role="staff")
    assert reply.sources == [{"n": 1, "title": "Returns", "url": "/help/returns/"}]


def test_the_instruction_of_a_hand_back_is_audited(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    client.post(path(conversation, "hand-back/"), {"instruction": "Offer a return."}, headers=LIVE)
    changes = audited("conversation.hand_back")
    assert changes["status"] == ("human", "ai")
    assert changes["instruction"][1] == "Offer a return."
    assert changes["assignee"] == ("agent", "")


def test_the_instruction_of_a_hand_back_stays_in_the_thread_for_staff_only(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    client.post(path(conversation, "hand-back/"), {"instruction": "Offer a return."}, headers=LIVE)
    client.force_login(cast.lead)
    assert "Handed back with: Offer a return." in page(client, conversation)
    client.force_login(cast.owner_user)
    chat = client.get("/").content.decode()
    assert "Where is my tent?" in chat
    assert "Offer a return." not in chat


def test_a_colleagues_conversation_is_ended_by_leads_only(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.lead, cast.owner)
    client.force_login(cast.agent)
    assert "Hand back" not in page(client, conversation)
    for deed in ("hand-back/", "close/"):
        answer = client.post(path(conversation, deed), headers=LIVE)
        assert answer.status_code == 409
        assert "Lead has this conversation." in answer.content.decode()
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.lead)
    assert "Hand back" in page(client, conversation)
    assert client.post(path(conversation, "hand-back/"), headers=LIVE).status_code == 200
    conversation.refresh_from_db()
    assert conversation.status == "ai"


def test_who_was_away_for_long_gets_everything_in_pages(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    for number in range(160):
        say(conversation, f"line {number}.")
    client.force_login(cast.agent)
    shown, after = "", 0
    for _ in range(2):
        answer = client.get(path(conversation, "events/"), {"after": after})
        shown += answer.content.decode()
        after = answer.context["seq"]
    assert all(f"line {number}." in shown for number in range(160))
    conversation.refresh_from_db()
    assert after == conversation.last_seq


def test_every_deed_of_the_thread_is_for_those_who_answer(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.ops)
    shown = page(client, conversation)
    assert "Take over" not in shown
    assert "For colleagues only" not in shown
    key = conversation.pk
    deeds = ("claim/", "reply/", "note/", "hand-back/", "close/", "ticket/", "ticket/link/", "promise/")
    for deed in (*deeds, f"ticket/{key}/unlink/", f"promise/{key}/", "assist/draft/", f"assist/{key}/insert/"):
        assert client.post(path(conversation, deed), {"text": "x"}).status_code == 403, deed
    for asked in ("canned/", "mentions/", "articles/"):
        assert client.get(path(conversation, asked)).status_code == 403, asked
    client.force_login(cast.owner_user)
    for deed in ("", "events/", "canned/"):
        assert client.get(path(conversation, deed)).status_code == 302, deed
    assert not AuditEntry.objects.exists()


def test_the_page_takes_as_many_queries_for_much_as_for_little(client: Client, cast: Cast) -> None:
    def queries(conversation: object, deed: str) -> int:
        forget()
        controls()  # read every two seconds by whoever comes first: not counted
        with CaptureQueriesContext(connection) as counted:
            assert client.get(f"/admin/inbox/{conversation}/{deed}").status_code == 200
        return len(counted)

    little, much = had_by(cast.agent, cast.other), had_by(cast.agent, cast.owner)
    for number in range(12):
        say(much, f"line {number}")
        note_add(conversation_id=much.pk, author=cast.lead, text=f"note {number} @agent")
        waiting(cast.owner)
    client.force_login(cast.agent)
    for deed in ("", "events/?after=0"):
        for conversation in (little, much):  # the first visit also writes marks
            queries(conversation.pk, deed)
        counts = [queries(conversation.pk, deed) for conversation in (little, much)]
        assert counts[0] == counts[1], deed
        assert counts[1] <= 48, deed
