"""What a customer is told of their message: committed, begun with, read by our people, and by nobody named."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from support_agent.runtime.submit import request_human
from tests.cast import Cast
from tests.chat.conftest import Line, begin, browser_session, said
from tickets.db import in_db
from tickets.models import Conversation
from tickets.publishing import group_of, send_frames
from tickets.services.read_marks import read_mark_put


async def last_seq(conversation: Conversation) -> int:
    return int(await in_db(lambda: Conversation.objects.get(pk=conversation.pk).last_seq))


async def test_who_looks_on_unasked_is_not_told_of(people: Cast, lines: Callable[..., Line]) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token)
    await line.open()
    await line.send(**said("Hello"))
    await line.until("message")

    async def read() -> None:
        seq = await last_seq(conversation)
        await in_db(lambda: read_mark_put(user=people.agent, conversation_id=conversation.pk, seq=seq))

    await read()
    await in_db(lambda: request_human(conversation=conversation))
    while (await line.frame()).get("status") != "waiting":
        pass
    await read()
    frame = await line.until("seen")
    assert frame == {"type": "seen", "upto": await last_seq(conversation)}, "no name of whoever it was"
    await read()
    await send_frames([(group_of(conversation.pk), {"type": "conversation.frame", "frame": {"type": "pong"}})])
    assert (await line.until("pong")) == {"type": "pong"}, "nothing new was read: nothing is told"


async def test_the_page_is_told_of_its_newest_message_only(people: Cast, lines: Callable[..., Line]) -> None:
    conversation, _ = await begin()
    page = lines(conversation.pk, cookie=await browser_session(None, conversation), format="html")
    await page.open()
    await page.send(**said("First", uuid4()))
    fragment = ""
    while "First" not in fragment:
        fragment = await page.text()
    assert '<hx-partial hx-target="#delivery" hx-swap="innerHTML">Sent</hx-partial>' in fragment
    seq = await last_seq(conversation)

    async def tell(frame: dict[str, object]) -> None:
        await send_frames([(group_of(conversation.pk), {"type": "conversation.frame", "frame": frame})])

    await tell({"type": "seen", "upto": seq - 1})  # of before it was written
    await tell({"type": "activity", "state": "thinking", "label": "", "turn_id": str(uuid4())})
    begun = await page.text()
    assert "Seen by our team" not in begun
    assert '"#delivery" hx-swap="innerHTML">Delivered' in begun
    await tell({"type": "seen", "upto": seq})
    assert "Seen by our team" in await page.text()
