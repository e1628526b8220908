"""The inbox's socket: what it tells a page, presence and typing, and that pushes may be lost."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support_agent.chat.cursors import watch
from support_agent.ops.live import presence
from support_agent.ops.live.rounds import note_seen, rounds
from support_agent.ops.live.standing import members_of
from tests.cast import Cast
from tests.chat.conftest import Line, begin
from tests.ops.live.conftest import Page, waiting
from tickets.db import in_db
from tickets.models import Conversation, Event, Note, ReadMark, StaffProfile
from tickets.publishing import INBOX_GROUP
from tickets.services.conversations import conversation_claim
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_post

Open = Callable[..., Awaitable[Page]]


async def say(conversation: Conversation, text: str = "Hello?") -> None:
    await in_db(message_post, conversation=conversation, client_message_id=uuid4(), text=text)


async def test_every_page_hears_what_changes_in_the_list(people: Cast, pages: Open) -> None:
    one, other = await pages(people.agent), await pages(people.ops)
    conversation = await waiting(people)
    for page in (one, other):
        assert (await page.until("changed"))["id"] == str(conversation.pk)
    await say(conversation)
    assert (await one.until("changed", why="message"))["id"] == str(conversation.pk)
    await in_db(conversation_claim, conversation_id=conversation.pk, staff=people.lead)
    assert (await one.until("changed", why="claimed"))["id"] == str(conversation.pk)


async def test_what_the_assistant_does_alone_is_no_news_to_the_list(people: Cast, pages: Open) -> None:
    page = await pages(people.agent)
    conversation, _ = await begin(people.owner)
    await say(conversation)
    assert await page.silent()


async def test_the_watched_thread_tells_its_events_and_is_read_by_opening(people: Cast, pages: Open) -> None:
    conversation, other = await waiting(people), await waiting(people)
    page = await pages(people.agent)
    await page.watch(conversation)
    assert (await in_db(ReadMark.objects.get, user=people.agent)).seq == conversation.last_seq
    await say(other)
    await say(conversation)
    event = await page.until("event")
    assert (event["id"], event["seq"]) == (str(conversation.pk), conversation.last_seq)
    await page.send("read", conversation_id=conversation.pk, seq=event["seq"])
    await page.send("ping")
    await page.until("pong")
    assert (await in_db(ReadMark.objects.get, user=people.agent)).seq == event["seq"]
    await page.send("unwatch")
    await page.send("ping")
    await page.until("pong")
    await say(conversation)
    await page.until("changed")
    assert await page.silent()


async def test_an_event_no_push_announced_is_found_by_the_round(people: Cast, pages: Open) -> None:
    conversation = await waiting(people)
    page = await pages(people.agent)
    await page.watch(conversation)

    def lose_the_push() -> None:
        seq = conversation.last_seq + 1
        Event.objects.create(conversation=conversation, seq=seq, type="message", payload={})
        Conversation.objects.filter(pk=conversation.pk).update(last_seq=seq)

    await in_db(lose_the_push)
    await rounds().check()
    assert (await page.until("event"))["seq"] == conversation.last_seq + 1
    note = {"conversation": conversation, "author": people.lead, "text": "Called her.", "after_seq": 1}
    await in_db(Note.objects.create, **note)
    await rounds().check()
    assert (await page.until("event"))["seq"] == conversation.last_seq + 1
    await rounds().check()
    assert await page.silent()


async def test_a_note_is_news_for_the_watched_thread_and_a_mention_for_who_is_named(people: Cast, pages: Open) -> None:
    conversation = await waiting(people)
    agent, lead = await pages(people.agent), await pages(people.lead)
    await agent.watch(conversation)
    key = str(conversation.pk)
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send(INBOX_GROUP, {"type": "inbox.changed", "id": key, "why": "note"})
    mention = {"id": key, "reference": conversation.reference, "from": "Agent"}
    await layer.group_send(INBOX_GROUP, {"type": "inbox.mention", "user_id": str(people.lead.pk), **mention})
    assert (await agent.until("event"))["id"] == key
    assert await agent.silent()
    assert await lead.until("mention") == {"type": "mention", **mention}


async def test_colleagues_see_who_views_and_who_replies(people: Cast, pages: Open) -> None:
    conversation, elsewhere = await waiting(people), await waiting(people)
    agent, lead = await pages(people.agent), await pages(people.lead)
    key = str(conversation.pk)
    await agent.watch(conversation)
    await lead.watch(conversation)
    assert await agent.until("presence") == {"type": "presence", "id": key, "viewing": ["Lead"], "replying": []}
    await agent.send("replying", on=True)
    assert await lead.until("presence", replying=["Agent"], viewing=["Agent"])
    await agent.send("replying", on=False)
    assert await lead.until("presence", replying=[])
    await lead.send("watch", conversation_id=elsewhere.pk)
    assert await agent.until("presence", viewing=[])
    await lead.send("watch", conversation_id=conversation.pk)
    assert await agent.until("presence", viewing=["Lead"])
    await lead.hang_up()
    assert await agent.until("presence", viewing=[])


async def test_a_second_window_of_mine_is_no_colleague(people: Cast, pages: Open) -> None:
    conversation = await waiting(people)
    one, two = await pages(people.agent), await pages(people.agent)
    await one.watch(conversation)
    await two.watch(conversation)
    assert await one.silent()


async def test_the_seats_of_a_dead_process_vanish(people: Cast, pages: Open) -> None:
    conversation = await waiting(people)
    page = await pages(people.agent)
    store = redis.Redis.from_url(settings.REDIS_URL)

    def seat(seconds: float) -> str:
        return json.dumps([str(people.lead.pk), "Lead", True, time.time() + seconds])

    await in_db(store.hset, f"inbox:presence:{conversation.pk.hex}", "gone", seat(5))
    await page.watch(conversation)
    seats = (await presence.take([_seat_of(page)]))[conversation.pk]
    assert {one.name for one in seats} == {"Agent", "Lead"}
    await in_db(store.hset, f"inbox:presence:{conversation.pk.hex}", "gone", seat(-0.01))
    await rounds().check()
    assert await page.until("presence", viewing=[], replying=[])
    assert 0 < int(str(await in_db(store.ttl, f"inbox:presence:{conversation.pk.hex}"))) <= presence.EXPIRES_S * 4


def _seat_of(page: Page) -> presence.Seat:
    (attendant,) = rounds().attendants
    assert attendant.seat is not None
    return attendant.seat


async def test_without_redis_for_presence_everything_else_goes_on(
    people: Cast, pages: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = redis.asyncio.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    monkeypatch.setattr(presence, "_client", lambda: gone)
    conversation = await waiting(people)
    page = await pages(people.agent)
    await page.watch(conversation)
    await rounds().check()
    await say(conversation)
    assert (await page.until("event"))["id"] == str(conversation.pk)


async def test_typing_goes_both_ways_and_only_from_who_has_the_conversation(people: Cast, pages: Open) -> None:
    conversation, token = await begin(people.owner)
    customer = Line(conversation.pk, token=token, origin=None)
    await customer.open()
    await customer.until("ready")
    agent, lead = await pages(people.agent), await pages(people.lead)
    await agent.watch(conversation)
    await lead.watch(conversation)
    await agent.send("replying", on=True)
    await agent.send("ping")
    await agent.until("pong")
    assert await customer.silent()  # nobody has taken it over
    await in_db(conversation_claim, conversation_id=conversation.pk, staff=people.lead)
    await customer.until("status")
    await lead.send("replying", on=True)
    assert await customer.until("typing") == {"type": "typing", "who": "Lead"}
    await customer.send(type="typing")
    typing = {"type": "typing", "id": str(conversation.pk), "who": "customer"}
    assert await agent.until("typing") == typing
    assert await lead.until("typing") == typing
    await customer.hang_up()


async def test_an_open_inbox_is_noted_and_so_is_an_open_chat(people: Cast, pages: Open) -> None:
    before = timezone.now()
    await pages(people.agent)
    conversation, token = await begin(people.owner)
    customer = Line(conversation.pk, token=token, origin=None)
    await customer.open()
    await customer.until("ready")
    await rounds().check()
    seen_at = (await in_db(StaffProfile.objects.get, user=people.agent)).seen_at
    assert seen_at is not None
    assert seen_at > before
    assert (await in_db(StaffProfile.objects.get, user=people.lead)).seen_at is None

    await watch().check()
    seen = (await in_db(Conversation.objects.get, pk=conversation.pk)).customer_seen_at
    assert seen is not None
    assert timezone.now() - seen < timedelta(seconds=5)
    await watch().check()  # a moment later nothing is written again
    assert (await in_db(Conversation.objects.get, pk=conversation.pk)).customer_seen_at == seen
    await customer.hang_up()


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"type": 1}', '{"type": "dance"}', '{"type": "watch"}', '{"type": "read", "seq": "x"}']
)
async def test_nonsense_is_answered_and_the_socket_stays(people: Cast, pages: Open, text: str) -> None:
    page = await pages(people.agent)
    await page.raw(text)
    assert (await page.frame())["code"] == "bad_frame"
    await page.send("watch", conversation_id=uuid4())
    assert (await page.frame())["code"] == "not_found"
    await page.send("ping")
    assert (await page.frame())["type"] == "pong"


async def test_one_round_costs_the_same_for_many_sockets(people: Cast, pages: Open) -> None:
    opened = [await pages(user) for user in (people.agent, people.lead, people.ops, people.admin)]
    keys = [page.browser.cookies["sessionid"].value for page in opened]

    def cost(wanted: list[str]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert len(members_of(wanted)) == len(wanted)
        return len(queries)

    assert await in_db(cost, keys[:1]) == await in_db(cost, keys)


async def test_the_list_hears_that_a_waiting_customer_came_back(people: Cast, pages: Open) -> None:
    conversation, token = await begin(people.owner)
    await in_db(escalation_open, conversation=conversation, reason="asked")
    page = await pages(people.agent)
    customer = Line(conversation.pk, token=token, origin=None)
    await customer.open()
    await customer.until("ready")
    await watch().check()
    assert (await page.until("changed", why="connected"))["id"] == str(conversation.pk)
    await customer.hang_up()


def test_noting_who_is_there_waits_for_no_other_process(people: Cast) -> None:
    def note() -> None:
        try:
            note_seen({people.agent.pk, people.lead.pk})
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        StaffProfile.objects.select_for_update().get(user=people.agent)
        threads.submit(note).result(timeout=5)
    seen = dict(StaffProfile.objects.values_list("user__username", "seen_at"))
    assert (seen["agent"], seen["lead"] is None) == (None, False)
