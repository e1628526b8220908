"""What helps to answer: notes with mentions, canned replies, tickets, promises, and the customer beside the thread."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast, make_staff
from tests.ops.threads import LIVE, audited, had_by, page, path, waiting
from tickets.models import CannedReply, Event, Invoice, Mention, Note, Promise, Role, Survey, Team, Ticket
from tickets.selectors.notes import mentions_unread
from tickets.services.promises import promise_make

pytestmark = pytest.mark.django_db


def test_a_note_is_no_event_and_no_message(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    before = Event.objects.count()
    client.force_login(cast.agent)
    client.post(path(conversation, "note/"), {"text": "Difficult, <script>be</script> kind"}, headers=LIVE)
    note = Note.objects.get()
    assert (note.author, note.after_seq, Event.objects.count()) == (cast.agent, conversation.last_seq, before)
    shown = page(client, conversation)
    assert "Private note" in shown
    assert "Difficult, &lt;script&gt;be&lt;/script&gt; kind" in shown
    assert audited("note.add")["text"] == ("", note.text)


def test_anybody_of_the_desk_may_note_without_taking_over(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.lead)
    answer = client.post(path(conversation, "note/"), {"text": "I know them"}, headers=LIVE)
    assert "I know them" in answer.content.decode()
    refused = client.post(path(conversation, "note/"), {"text": "  "}, headers=LIVE)
    assert refused.status_code == 409
    assert "Write a message first." in refused.content.decode()


def test_a_mention_waits_until_its_colleague_opens_the_thread(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr("tickets.services.notes.publish", lambda frames: told.extend(one for _, one in frames))
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    text = "Ask @lead. @LEAD knows; mail me@agent.example, @nobody, @owner and myself @agent"
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        client.post(path(conversation, "note/"), {"text": text})
    assert [one.user for one in Mention.objects.all()] == [cast.lead]
    mention = next(one for one in told if one["type"] == "inbox.mention")
    assert (mention["user_id"], mention["reference"], mention["from"]) == (
        str(cast.lead.pk),
        conversation.reference,
        "Agent",
    )
    assert {"type": "inbox.changed", "id": str(conversation.pk), "why": "note"} in told
    assert [one.note.conversation for one in mentions_unread(cast.lead)] == [conversation]
    client.force_login(cast.lead)
    assert f"/admin/inbox/{conversation.pk}/" in page(client, waiting(cast.other)).partition("Mentions")[2]
    page(client, conversation)
    assert mentions_unread(cast.lead) == []


def test_colleagues_are_offered_by_letters(client: Client, cast: Cast) -> None:
    make_staff("leona", Role.AGENT, None)
    conversation = waiting(cast.owner)
    client.force_login(cast.agent)
    found = page(client, conversation, "mentions/?q=le")
    assert 'data-insert="@lead "' in found
    assert 'data-insert="@leona "' in found
    assert 'role="option"' in found
    assert "owner" not in page(client, conversation, "mentions/?q=o")


def test_canned_replies_are_filled_here_and_those_of_other_teams_are_not_offered(client: Client, cast: Cast) -> None:
    CannedReply.objects.create(
        shortcut="hi", title="Greeting", text="Hello {customer}, {staff} here about {reference}."
    )
    CannedReply.objects.create(shortcut="hi-bill", title="Ours", text="Hi", team=cast.team)
    CannedReply.objects.create(
        shortcut="hi-eng", title="Theirs", text="Hi", team=Team.objects.create(slug="e", name="E")
    )
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    found = page(client, conversation, "canned/?q=hi")
    filled = f"Hello Olivia, Agent here about {conversation.reference}."
    assert f'data-insert="{filled}"' in found
    assert "/hi-bill" in found
    assert "/hi-eng" not in found
    assert f"{filled}</textarea>" in page(client, conversation, "?canned=hi")  # without a script
    assert "Hello there, " in page(client, had_by(cast.agent, None), "canned/?q=hi")


def test_a_canned_reply_with_an_unknown_placeholder_is_refused_in_the_admin(client: Client, cast: Cast) -> None:
    client.force_login(cast.admin)
    fields = {"shortcut": "x", "title": "X", "text": "Hello {name}", "team": ""}
    answer = client.post("/admin/tickets/cannedreply/add/", fields)
    assert "{name}" in answer.content.decode()
    assert not CannedReply.objects.exists()
    client.post("/admin/tickets/cannedreply/add/", {**fields, "text": "Hello {customer}"})
    assert CannedReply.objects.get().text == "Hello {customer}"
    assert audited("cannedreply.add")["text"][1] == "Hello {customer}"


def test_a_ticket_is_made_of_a_conversation(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    fields = {"subject": "Send a new pole", "body": "", "category": "product", "priority": "high"}
    client.post(path(conversation, "ticket/"), fields, headers=LIVE)
    ticket = Ticket.objects.get()
    assert (ticket.customer, ticket.conversation, ticket.priority) == (cast.owner, conversation, "high")
    assert "from here" in page(client, conversation)
    assert audited("ticket.open")["number"] == ("", ticket.number)
    for wrong in ({"subject": " "}, {"category": "x"}, {"priority": ""}):
        assert client.post(path(conversation, "ticket/"), {**fields, **wrong}, headers=LIVE).status_code == 409
    assert Ticket.objects.count() == 1


def test_an_existing_ticket_is_linked_once_and_unlinked(client: Client, cast: Cast) -> None:
    first, second = had_by(cast.agent, cast.owner), had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    client.post(path(first, "ticket/"), {"subject": "S", "category": "product", "priority": "low"})
    ticket = Ticket.objects.get()
    for _ in range(2):
        assert (
            client.post(path(second, "ticket/link/"), {"number": ticket.number.lower()}, headers=LIVE).status_code
            == 200
        )
    assert list(ticket.linked.all()) == [second]
    assert audited("ticket.link")["linked"] == ("", second.reference)
    assert "linked" in page(client, second)
    client.post(path(second, f"ticket/{ticket.pk}/unlink/"), headers=LIVE)
    assert not ticket.linked.exists()
    assert audited("ticket.unlink")["linked"] == (second.reference, "")
    missing = client.post(path(second, "ticket/link/"), {"number": "T-0"}, headers=LIVE)
    assert "There is no ticket with this number." in missing.content.decode()


def test_staff_promise_and_settle(client: Client, cast: Cast) -> None:
    conversation = had_by(cast.agent, cast.owner)
    client.force_login(cast.agent)
    due = timezone.now() + timedelta(days=2)
    client.post(path(conversation, "promise/"), {"text": "A new pole", "due_at": f"{due:%Y-%m-%dT%H:%M}"}, headers=LIVE)
    promise = Promise.objects.get(kind="other")
    assert promise.made_by == cast.agent
    assert timedelta(hours=6) < promise.due_at - due.replace(second=0, microsecond=0) < timedelta(hours=9)  # the shop's
    assert "A new pole" in page(client, conversation).partition('id="panel"')[2]
    client.post(path(conversation, f"promise/{promise.pk}/"), {"state": "kept"}, headers=LIVE)
    promise.refresh_from_db()
    assert promise.state == "kept"
    for wrong in ({"text": "x", "due_at": ""}, {"text": "x", "due_at": "2020-01-01T10:00"}, {"text": "", "due_at": ""}):
        assert client.post(path(conversation, "promise/"), wrong, headers=LIVE).status_code == 409
    foreign = had_by(cast.agent, cast.other)
    assert client.post(path(foreign, f"promise/{promise.pk}/"), {"state": "kept"}).status_code == 404


def test_the_panel_tells_who_it_is(client: Client, cast: Cast) -> None:
    earlier = waiting(cast.owner)
    Survey.objects.create(conversation=earlier, state="answered", rating=4, comment="Fine", answered_at=timezone.now())
    Invoice.objects.create(
        number="INV-300001", customer=cast.owner, description="Tent", amount="180.00", issued_at=timezone.now()
    )
    conversation = waiting(cast.owner)
    promise_make(conversation=conversation, text="A call back", due_at=timezone.now() + timedelta(hours=3))
    client.force_login(cast.agent)
    panel = page(client, conversation).partition('id="panel"')[2]
    for told in (
        cast.owner.name, cast.owner.email, "Signed in", "Free", "AP-100001", "Delivered", "INV-300001", "Open",
        earlier.reference, "4 of 5", "A call back", "Asked for a person", "Wants a person.", "en",
    ):  # fmt: skip
        assert told in panel, told
    for model, key in (("customer", cast.owner.pk), ("order", cast.delivered.pk)):
        assert f"/admin/tickets/{model}/{key}/change/" in panel
    assert cast.foreign.order_number not in panel


def test_a_stranger_has_a_panel_too(client: Client, cast: Cast) -> None:
    conversation = waiting(None)
    waiting(None)
    client.force_login(cast.agent)
    panel = page(client, conversation).partition('id="panel"')[2]
    assert "Not verified" in panel
    assert "no address left" in panel
    assert "AP-1" not in panel
    assert panel.partition("Past conversations")[2].partition("</ul>")[0].count("<li") == 1  # none


def test_without_shortcuts_the_page_says_so(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    client.force_login(cast.agent)
    assert 'data-shortcuts="on"' in page(client, conversation)
    cast.agent.staff_profile.shortcuts = False
    cast.agent.staff_profile.save()
    assert 'data-shortcuts="off"' in page(client, conversation)
