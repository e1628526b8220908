"""What staff do from the list: assign many at once, take the next, be available, snooze, set aside, choose habits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from tests.ops.test_inbox_list import shown, talk, waiting
from tickets import hours
from tickets.models import AuditEntry, Conversation, Escalation, StaffProfile, Team
from tickets.services import assignment
from tickets.services.conversations import conversation_claim
from tickets.services.messages import message_post

pytestmark = pytest.mark.django_db
TELL = {"X-Inbox": "1"}


@pytest.fixture
def desk(client: Client, cast: Cast) -> Client:
    client.force_login(cast.agent)
    return client


def assign(client: Client, to: object, *conversations: Conversation) -> dict[str, object]:
    chosen = {"conversation": [str(one.pk) for one in conversations], "to": str(to)}
    found: dict[str, object] = client.post("/admin/inbox/assign/", chosen, headers=TELL).json()
    return found


def test_many_are_given_to_a_person_at_once(desk: Client, cast: Cast) -> None:
    chosen, left = [waiting(cast.owner), waiting(cast.other)], waiting()
    assert assign(desk, cast.lead.pk, *chosen)["said"] == "2 conversations went to Lead."
    assert set(shown(desk, f"assignee={cast.lead.pk}")) == set(chosen)
    assert shown(desk, "assignee=nobody") == [left]
    assert AuditEntry.objects.filter(action="conversation.assign", actor=cast.agent).count() == 2
    assert assign(desk, "", chosen[0])["said"] == "1 conversation went back to the queue."
    assert shown(desk, f"assignee={cast.lead.pk}") == [chosen[1]]


def test_many_go_to_another_teams_queue(desk: Client, cast: Cast) -> None:
    team = Team.objects.create(slug="engineering", name="Engineering")
    given, free, taken, with_assistant = waiting(cast.owner), waiting(), waiting(), talk()
    Escalation.objects.filter(conversation=given).update(assigned_to=cast.lead)
    conversation_claim(conversation_id=taken.pk, staff=cast.lead)
    said = assign(desk, "team:engineering", given, free, taken, with_assistant)["said"]
    assert said == "2 conversations went to Engineering. 2 stayed as they were."
    assert set(shown(desk, "team=engineering")) == {given, free}
    moved = Escalation.objects.get(conversation=given)
    assert (moved.team, moved.assigned_to) == (team, None)
    taken.refresh_from_db()
    assert taken.team == cast.team
    entry = AuditEntry.objects.filter(action="conversation.move", object_id=str(given.pk)).get()
    assert entry.fields == ["team", "assigned_to"]


@pytest.mark.parametrize("to", ["nobody", "team:none", "00000000-0000-4000-8000-000000000000", "customer"])
def test_nobody_can_be_made_up(desk: Client, cast: Cast, to: str) -> None:
    conversation = waiting(cast.owner)
    to = str(cast.owner_user.pk) if to == "customer" else to
    answer = desk.post("/admin/inbox/assign/", {"conversation": [conversation.pk], "to": to}, headers=TELL)
    assert (answer.status_code, answer.json()["ok"]) == (409, False)
    assert answer.json()["said"] == "Choose a person or a team." or "does not answer" in answer.json()["said"]
    assert Escalation.objects.get().assigned_to is None


def test_nothing_chosen_and_nonsense_are_refused_in_words(desk: Client, cast: Cast) -> None:
    for chosen in ([], ["x"], ["\x00"]):
        answer = desk.post("/admin/inbox/assign/", {"conversation": chosen, "to": str(cast.lead.pk)}, follow=True)
        assert "Choose at least one conversation." in answer.content.decode()


def test_without_a_script_one_comes_back_to_the_same_list(desk: Client, cast: Cast) -> None:
    here = "/admin/inbox/?tab=team&reason=asked"
    posted = {"conversation": [str(waiting(cast.owner).pk)], "to": str(cast.lead.pk), "next": here}
    assert desk.post("/admin/inbox/assign/", posted).headers["Location"] == here
    for outside in ("https://evil.example/admin/inbox/", "//evil.example", "/admin/ops/", ""):
        answer = desk.post("/admin/inbox/assign/", posted | {"next": outside})
        assert answer.headers["Location"] == "/admin/inbox/"


def test_next_takes_the_most_urgent_and_opens_it(desk: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    later, urgent = waiting(cast.owner, minutes=9), waiting(cast.other, minutes=-1)
    assert desk.post("/admin/inbox/next/").headers["Location"] == f"/admin/inbox/{urgent.pk}/"
    assert desk.post("/admin/inbox/next/").headers["Location"] == f"/admin/inbox/{urgent.pk}/", "a double click"
    assert shown(desk, "tab=mine") == [urgent]
    monkeypatch.setattr(assignment, "ONE_CLICK", timedelta())
    assert desk.post("/admin/inbox/next/").headers["Location"] == f"/admin/inbox/{later.pk}/"
    assert shown(desk, "tab=mine") == [urgent, later]
    answer = desk.post("/admin/inbox/next/", {"next": "/admin/inbox/?tab=mine"}, follow=True)
    assert "Nobody is waiting." in answer.content.decode()
    assert answer.redirect_chain[0][0] == "/admin/inbox/?tab=mine"


def test_availability_with_capacity(desk: Client, cast: Cast) -> None:
    conversation_claim(conversation_id=waiting(cast.owner).pk, staff=cast.agent)
    page = desk.get("/admin/inbox/").content.decode()
    assert "1 of 4" in page
    assert (
        desk.post("/admin/inbox/availability/", {"availability": "busy"}, headers=TELL).json()["said"]
        == "You are busy."
    )
    assert StaffProfile.objects.get(user=cast.agent).availability == "busy"
    assert 'value="busy" selected' in desk.get("/admin/inbox/").content.decode()
    assert desk.post("/admin/inbox/availability/", {"availability": "asleep"}, headers=TELL).status_code == 409
    assert StaffProfile.objects.get(user=cast.agent).availability == "busy"


def test_snoozing_hides_until_then_or_until_the_customer_writes(desk: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    path = f"/admin/inbox/{conversation.pk}/snooze/"
    before = timezone.now()
    assert desk.post(path, {"for": "60"}).headers["Location"] == f"/admin/inbox/{conversation.pk}/"
    conversation.refresh_from_db()
    assert conversation.snoozed_until is not None
    assert timedelta(minutes=59) < conversation.snoozed_until - before < timedelta(minutes=61)
    assert shown(desk) == []
    message_post(conversation=conversation, client_message_id=uuid4(), text="Still there?")
    assert shown(desk) == [conversation]
    desk.post(path, {"for": "opening"})
    conversation.refresh_from_db()
    assert conversation.snoozed_until == hours.next_opening(timezone.now())
    assert desk.post(path, {"for": str(89 * 24 * 60)}, headers=TELL).json()["ok"], "as long as the desk permits"
    desk.post(path, {})
    conversation.refresh_from_db()
    assert conversation.snoozed_until is None


def test_a_snooze_until_a_moment_is_the_shops_time(desk: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    day = (timezone.now() + timedelta(days=3)).date()
    desk.post(f"/admin/inbox/{conversation.pk}/snooze/", {"until": f"{day}T09:30"})
    conversation.refresh_from_db()
    assert conversation.snoozed_until == datetime(day.year, day.month, day.day, 9, 30, tzinfo=hours.zone()).astimezone(
        UTC
    )


@pytest.mark.parametrize(
    "form",
    [
        {"until": "2020-01-01T09:00"},
        {"until": "soon"},
        {"until": "2026-02-30T09:00"},
        {"for": "0"},
        {"for": "999999"},
        {"for": str(91 * 24 * 60)},
    ],
)
def test_a_snooze_that_cannot_be_is_refused(desk: Client, cast: Cast, form: dict[str, str]) -> None:
    conversation = waiting(cast.owner)
    assert desk.post(f"/admin/inbox/{conversation.pk}/snooze/", form, headers=TELL).status_code == 409
    conversation.refresh_from_db()
    assert conversation.snoozed_until is None


def test_waiting_for_the_customer_ends_with_their_word(desk: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    path = f"/admin/inbox/{conversation.pk}/await/"
    assert desk.post(path, {"on": "true"}, headers=TELL).status_code == 409  # not taken over
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    assert desk.post(path, {"on": "true"}, headers=TELL).json()["ok"]
    assert shown(desk, "tab=all&state=awaits") == [conversation]
    message_post(conversation=conversation, client_message_id=uuid4(), text="Here I am")
    assert shown(desk, "tab=all&state=awaits") == []
    desk.post(path, {"on": "true"})
    desk.post(path, {"on": "false"})
    assert shown(desk, "tab=all&state=awaits") == []


def test_sound_and_keys_are_each_persons_own(desk: Client, cast: Cast) -> None:
    page = desk.get("/admin/inbox/").content.decode()
    assert 'data-sound="on" data-shortcuts="on"' in page
    desk.post("/admin/inbox/preferences/", {"has_sound": "1", "has_shortcuts": "1", "shortcuts": "on"})
    assert 'data-sound="off" data-shortcuts="on"' in desk.get("/admin/inbox/").content.decode()
    desk.post("/admin/inbox/preferences/", {"has_shortcuts": "1"})
    assert 'data-sound="off" data-shortcuts="off"' in desk.get("/admin/inbox/").content.decode()
    assert StaffProfile.objects.get(user=cast.lead).sound
    assert AuditEntry.objects.filter(action="staff.preferences", actor=cast.agent).count() == 2


def test_ops_look_but_do_nothing_and_customers_not_even_that(client: Client, cast: Cast) -> None:
    conversation = waiting(cast.owner)
    deeds = ["assign/", "next/", "availability/", f"{conversation.pk}/snooze/", f"{conversation.pk}/await/"]
    client.force_login(cast.ops)
    page = client.get("/admin/inbox/").content.decode()
    assert "Next</button>" not in page
    assert 'name="conversation"' not in page
    for deed in deeds:
        assert client.post(f"/admin/inbox/{deed}").status_code == 403
    client.force_login(cast.owner_user)
    for deed in [*deeds, "preferences/"]:
        assert client.post(f"/admin/inbox/{deed}").headers["Location"].startswith("/admin/login/")
    client.force_login(cast.agent)
    assert client.get("/admin/inbox/next/").status_code == 405
    assert client.post(f"/admin/inbox/{uuid4()}/snooze/").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.agent)
    assert strict.post("/admin/inbox/next/").status_code == 403
