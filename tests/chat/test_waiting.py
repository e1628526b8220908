"""Who waits for a person: their place and wait, honest and live; the hours; the cards; who joined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from support_agent.chat import consumers, cursors
from support_agent.chat.renderers.html import page_items
from support_agent.runtime.submit import request_human
from tests.cast import Cast
from tests.chat.conftest import Line, begin
from tickets.db import in_db
from tickets.events import event_append
from tickets.models import Conversation, Escalation, Team
from tickets.selectors.conversations import events_latest
from tickets.selectors.waits import Place, places
from tickets.services.conversations import conversation_claim, conversation_create, conversation_hand_back
from tickets.services.escalations import escalation_open
from tickets.services.promises import promise_make, promise_settle
from tickets.services.replies import reply_post
from tickets.workspace import DEFAULT

SHOP = DEFAULT.opening.zone
Lines = Callable[..., Line]
THURSDAY = datetime(2026, 11, 19, 10, 0, tzinfo=SHOP)
SATURDAY = datetime(2026, 11, 21, 10, 0, tzinfo=SHOP)


def waiting(team: str = "", asked: datetime | None = None) -> Conversation:
    conversation, _ = conversation_create(channel="chat")
    escalation = escalation_open(conversation=conversation, reason="asked", team=team)
    if asked:
        due = asked + timedelta(minutes=15)
        Escalation.objects.filter(pk=escalation.pk).update(created_at=asked, due_at=due)
    return conversation


def answered(minutes: int, times: int, team: Team, before: datetime = THURSDAY) -> None:
    """Past escalations whose first reply took that long."""
    for number in range(times):
        asked = before - timedelta(hours=1 + number / 10)
        Escalation.objects.create(
            conversation=conversation_create(channel="chat")[0],
            reason="asked",
            team=team,
            status="closed",
            created_at=asked,
            due_at=asked,
            first_reply_at=asked + timedelta(minutes=minutes),
        )


def place_of(conversation: Conversation, now: datetime = THURSDAY) -> Place:
    return places({conversation.pk}, now)[conversation.pk]


# ---- the place and the wait


def test_the_place_counts_the_teams_own_line_by_deadline(cast: Cast) -> None:
    second = waiting("billing", THURSDAY)
    first = waiting("billing", THURSDAY - timedelta(minutes=5))
    elsewhere = waiting("", THURSDAY - timedelta(hours=1))
    assert [place_of(one).position for one in (first, second, elsewhere)] == [1, 2, 1]
    conversation_claim(conversation_id=first.pk, staff=cast.agent)
    assert place_of(second).position == 1
    assert places({first.pk, uuid4()}, THURSDAY) == {}, "nobody waits there any more"


def test_what_staff_snoozed_stands_in_nobodys_way(cast: Cast) -> None:
    asleep, second = waiting("billing", THURSDAY - timedelta(minutes=5)), waiting("billing", THURSDAY)
    Conversation.objects.filter(pk=asleep.pk).update(snoozed_until=THURSDAY + timedelta(hours=1))
    assert place_of(second).position == 1
    assert places({asleep.pk}, THURSDAY) == {}
    assert place_of(second, THURSDAY + timedelta(hours=1)).position == 2


@pytest.mark.parametrize(("times", "minutes"), [(9, None), (10, 12)])
def test_the_wait_is_said_from_ten_answers_on(cast: Cast, times: int, minutes: int | None) -> None:
    conversation = waiting("billing", THURSDAY)
    answered(12, times - 1, cast.team)
    answered(90, 1, cast.team)  # one slow answer is not the usual
    answered(1, 20, Team.objects.create(slug="other", name="Other"))
    assert place_of(conversation).minutes == (None if minutes is None else 10)  # no more exact than we know


def test_answers_of_long_ago_say_nothing(cast: Cast) -> None:
    answered(12, 10, cast.team, before=THURSDAY - timedelta(days=15))
    assert place_of(waiting("billing", THURSDAY)).minutes is None


def test_the_wait_shrinks_and_longer_than_usual_is_admitted(cast: Cast) -> None:
    answered(12, 10, cast.team)
    conversation = waiting("billing", THURSDAY)
    later = place_of(conversation, THURSDAY + timedelta(minutes=5))
    assert (later.minutes, later.is_slow) == (7, False)
    late = place_of(conversation, THURSDAY + timedelta(minutes=14))
    assert (late.minutes, late.is_slow) == (None, True)


def test_a_night_is_not_counted_as_waiting(cast: Cast) -> None:
    evening = THURSDAY - timedelta(days=1) + timedelta(hours=12)  # 22:00
    for _ in range(10):
        Escalation.objects.create(
            conversation=conversation_create(channel="chat")[0],
            reason="asked",
            team=cast.team,
            status="closed",
            created_at=evening,
            due_at=evening,
            first_reply_at=THURSDAY - timedelta(hours=2) + timedelta(minutes=4),  # 8:04
        )
    assert place_of(waiting("billing", THURSDAY)).minutes == 4


def test_outside_hours_the_opening_is_said_and_no_wait(cast: Cast) -> None:
    answered(12, 10, cast.team, before=SATURDAY - timedelta(days=2))
    place = place_of(waiting("billing", SATURDAY), SATURDAY)
    assert (place.minutes, place.is_open) == (None, False)
    assert place.opens_at is not None
    assert f"{place.opens_at:%a %H:%M}" == "Mon 08:00"
    assert place_of(waiting("billing", THURSDAY), THURSDAY + timedelta(hours=7, minutes=55)).minutes is None, "closing"


# ---- live


async def test_who_waits_is_told_the_place_and_when_it_moves(
    people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ahead_of(conversation: Conversation) -> Conversation:
        first = waiting()
        Escalation.objects.filter(conversation=first).update(due_at=timezone.now() - timedelta(hours=1))
        return first

    conversation, token = await begin()
    first = await in_db(ahead_of, conversation)
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.send(type="human")
    frames = [await line.frame()]
    while not {"queue", "promise"} <= {frame["type"] for frame in frames}:
        frames.append(await line.frame())
    told = next(frame for frame in frames if frame["type"] == "queue")
    assert told["queue_position"] == 2
    assert told.keys() >= {"team", "is_open", "due_at"}
    assert "seq" not in told

    await in_db(conversation_claim, conversation_id=first.pk, staff=people.agent)
    await cursors.watch().check_places()
    assert await line.silent(), "not twice within a minute"
    monkeypatch.setattr(consumers, "PLACE_EVERY", 0.0)
    for follower in cursors.watch().followers:
        follower._place_again = 0.0  # type: ignore[attr-defined]
    await cursors.watch().check_places()
    assert (await line.until("queue"))["queue_position"] == 1
    await cursors.watch().check_places()
    assert await line.silent(), "nothing has changed"

    await in_db(conversation_claim, conversation_id=conversation.pk, staff=people.agent)
    joined = await line.until("status")
    assert (joined["status"], joined["staff"], joined["team"]) == ("human", "Agent", "Billing")
    await cursors.watch().check_places()
    assert await line.silent()


async def test_a_client_that_comes_back_is_told_the_place_of_now(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    await in_db(request_human, conversation=conversation)
    line = lines(conversation.pk, token=token, origin=None, format="html")
    await line.open()
    async with asyncio.timeout(5):
        while 'hx-target="#place"' not in (text := await line.text()):
            pass
    assert "You are number 1." in text


async def test_many_who_come_back_at_once_are_looked_up_together(
    people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def counted(ids: set[UUID], now: datetime) -> dict[UUID, Place]:
        looked.append(len(ids))
        return places(ids, now)

    monkeypatch.setattr(cursors, "places", counted)
    monkeypatch.setattr(cursors, "PLACES_APART", 1.0)
    opened = []
    for _ in range(4):
        conversation, token = await begin()
        await in_db(request_human, conversation=conversation)
        opened.append(lines(conversation.pk, token=token, origin=None))
    for line in opened:
        await line.open()
    told = [(await line.until("queue"))["queue_position"] for line in opened]
    assert told == [1, 2, 3, 4]
    assert sum(looked) == 4
    assert len(looked) < 4, "not one look-up each"


async def test_a_promise_is_a_card_that_its_outcome_replaces(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None, format="html")
    await line.open()
    await line.text()
    due = timezone.now() + timedelta(days=2)
    promise = await in_db(promise_make, conversation=conversation, text="We <b>call</b> you", due_at=due)
    card = await line.text()
    assert 'hx-target="#messages"' in card
    assert "We &lt;b&gt;call&lt;/b&gt; you" in card
    assert f'datetime="{due.isoformat()}"' in card
    assert "Leaving?" not in card, "the address is asked for where an answer is promised"
    await in_db(promise_settle, promise=promise, state="missed")
    outcome = await line.text()
    assert f'hx-target="#promise-{promise.pk}" hx-swap="outerHTML"' in outcome
    assert "We are late and sorry" in outcome


async def test_asking_twice_is_one_card_and_says_so_once(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.send(type="human")
    await line.send(type="human")
    text = (await line.until("message"))["message"]["text"]
    assert "?" not in text, "no counter-question"
    await line.until("promise")
    await line.send(type="ping")
    await line.until("pong")
    kinds = [event["type"] for event in await in_db(events_latest, conversation.pk)]
    assert kinds == ["message", "status", "promise"]


# ---- the page


def page(client: Client, conversation: Conversation) -> str:
    session = client.session
    session["conversations"] = [str(conversation.pk)]
    session.save()
    return client.get("/").content.decode()


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


def test_the_hours_are_said_before_anybody_asks(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, THURSDAY)
    content = client.get("/").content.decode()
    assert "Monday to Friday, 8:00–18:00 Pacific time" in content
    assert "they are here now" in content
    assert '<a href="/message/">leave a message</a>' in content
    at(monkeypatch, SATURDAY)
    assert "they are back" in client.get("/").content.decode()


def test_outside_hours_an_address_is_taken(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, SATURDAY)
    conversation, _ = conversation_create(channel="chat")
    request_human(conversation=conversation)
    content = page(client, conversation)
    assert "We are closed just now" in content
    assert "Monday 8:00 (Pacific time)" in content
    assert 'name="email"' in content
    assert 'data-address="no"' in content


def test_who_joined_and_who_answers_again(client: Client, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat")
    request_human(conversation=conversation)
    conversation = conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    content = page(client, conversation)
    assert content.count("Agent from Billing") == 2  # the line and the banner
    assert '<b id="person-answers">A person answers' in content
    assert '<span id="assistant-answers" hidden>' in content
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Hello")
    conversation = conversation_hand_back(conversation=conversation, staff=cast.agent)
    items = page_items(events_latest(conversation.pk))
    assert "The assistant answers again" in items[-1]
    assert "as promised" in "".join(items)


@pytest.mark.parametrize(("days", "words"), [(13, "Write again to reopen it"), (15, "we go on in a new one")])
def test_a_closed_conversation_says_what_writing_does(client: Client, cast: Cast, days: int, words: str) -> None:
    conversation, _ = conversation_create(channel="chat")
    request_human(conversation=conversation)
    Conversation.objects.update(status="closed", closed_at=timezone.now() - timedelta(days=days))

    with transaction.atomic():
        event_append(conversation=conversation, type="status", payload={"status": "closed"})
    content = page(client, conversation)
    assert words in content
    assert 'id="composer"' in content
