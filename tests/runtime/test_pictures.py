"""Customers' images before the model: as image blocks, small, the newest only, and nowhere else than in the call."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from support_agent.llm.demo.transport import DemoTransport
from support_agent.models import Step, Turn
from support_agent.runtime.pictures import GONE, MAX_PIXELS, MAX_SEEN
from support_agent.runtime.replay import replay_create, run_replay
from support_agent.runtime.submit import submit_message
from tests.fakes.replies import calls, fails, says
from tests.fakes.scripted import TransportModel
from tests.runtime.conftest import Rig, client_of, ended
from tickets.access import Visitor
from tickets.db import in_db
from tickets.models import Attachment, Conversation, Message
from tickets.services.attachments import attachment_add

Json = dict[str, Any]
PLAN = {
    "goal": "Help with a tent.", "topic": "tent", "subject": "technical", "in_scope": True, "complexity": "medium",
    "confidence": 0.9, "steps": [{"type": "answer", "priority": "required", "description": "Answer."}],
    "is_complete": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def photo(shade: int = 90, size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (20, shade, 60)).save(out, format=kind)
    return out.getvalue()


def send(conversation: Conversation, text: str, *contents: bytes) -> Turn:
    taken = [attachment_add(conversation=conversation, name="pole.png", content=content).pk for content in contents]
    done = submit_message(
        conversation=conversation, visitor=Visitor(), client_message_id=uuid4(), text=text, attachments=taken
    )
    assert done.turn is not None
    return done.turn


def shown(request: Json) -> list[Json]:
    """The image blocks of a request."""
    contents = [message["content"] for message in request["messages"] if isinstance(message["content"], list)]
    return [block for content in contents for block in content if block["type"] == "image"]


def words(request: Json) -> str:
    return json.dumps([m for m in request["messages"] if m["role"] == "user"], ensure_ascii=False)


async def test_the_model_sees_what_was_sent_and_nothing_else_keeps_its_pixels(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        says(json.dumps(PLAN)), calls("lookup_order", {"order_number": "AP-100001"}), says("That pole is bent.")
    )
    turn = await ended(await in_db(send, conversation, "What is wrong with this pole?", photo()))

    assert rig.api.refusals == []
    assert turn.state == "answered"
    plan, first, second = rig.model.asked
    kept = await in_db(Attachment.objects.get)
    for asked in (plan, first, second):  # the planner too: the words alone say little
        (block,) = shown(asked)
        assert block["source"]["media_type"] == "image/png"
        assert len(base64.b64decode(block["source"]["data"])) == kept.size
        assert asked["messages"][0]["content"].index(block) == 0, "pictures before words"
        assert "(attached image: pole.png)" in words(asked)
    assert shown(first) == shown(second), "the same bytes: else the cached prefix is lost"

    steps = await in_db(lambda: json.dumps(list(Step.objects.values("input", "output"))))
    assert shown(first)[0]["source"]["data"][:200] not in steps
    assert str(kept.pk) in steps, "a trace says which image it was"


async def test_a_large_image_goes_out_small_and_costs_what_it_shows(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    noise = Image.effect_noise((2400, 1600), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, format="JPEG", quality=90)
    assert len(out.getvalue()) > 1_000_000
    rig.model.add(says(json.dumps(PLAN)), says("I see noise."))
    turn = await ended(await in_db(send, conversation, "What is this?", out.getvalue()))

    assert turn.state == "answered", "the bytes of an image must not count as words of the prompt"
    data = base64.b64decode(shown(rig.model.asked[-1])[0]["source"]["data"])
    picture = Image.open(io.BytesIO(data))
    assert picture.width * picture.height <= MAX_PIXELS
    assert picture.width / picture.height == pytest.approx(1.5, rel=0.01)


async def test_only_the_newest_images_are_shown_again(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    for n in range(3):
        rig.model.add(says(json.dumps(PLAN)), says(f"Answer {n}."))
        await ended(await in_db(send, conversation, f"Photos {n}", *(photo(60 * n + s) for s in range(3))))
    asked = rig.model.asked[-1]
    assert len(shown(asked)) == MAX_SEEN
    assert words(asked).count("(attached image: pole.png)") == 9, "the older ones are named"
    newest = asked["messages"][-2]["content"]
    assert [block["type"] for block in newest] == ["image"] * 3 + ["text"]


async def test_what_was_erased_is_gone_from_the_next_call_and_from_a_replay(rig: Rig, media: Path) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(says(json.dumps(PLAN)), says("A pole."))
    turn = await ended(await in_db(send, conversation, "What is this?", photo()))
    attachment = await in_db(Attachment.objects.get)
    rig.model.add(says(json.dumps(PLAN)), says("Still a pole."))
    again = await in_db(_replayed, turn.pk)
    replay = await run_replay(again, client_of(rig.api))
    assert (replay.state, replay.text) == ("done", "Still a pole.")
    assert len(shown(rig.model.asked[-1])) == 1, "a replay sees what the original saw"

    await in_db(attachment.delete)
    rig.model.add(says(json.dumps(PLAN)), says("I cannot see it any more."))
    await rig.ask(conversation, "And what was on that photo I sent you?")
    assert shown(rig.model.asked[-1]) == []
    assert GONE in words(rig.model.asked[-1])
    assert rig.api.refusals == []


async def test_another_conversations_image_is_never_shown(rig: Rig) -> None:
    theirs, mine = await rig.begin(rig.cast.other), await rig.begin(rig.cast.owner)
    foreign = await in_db(lambda: attachment_add(conversation=theirs, name="a.png", content=photo()))
    rig.model.add(says(json.dumps(PLAN)), says("Hm."))
    turn = await in_db(send, mine, "What is on this one here?", photo(10))
    await ended(turn)
    await in_db(lambda: Message.objects.filter(turn_id=turn.pk, role="customer").update(
        attachments=[{"id": str(foreign.pk), "name": "a.png"}]))  # fmt: skip
    rig.model.add(says(json.dumps(PLAN)), says("Hm."))
    await rig.ask(mine, "And now, what do you see on it?")
    assert shown(rig.model.asked[-1]) == []


async def test_the_demo_model_says_that_it_sees_nothing_and_offers_a_person(rig: Rig) -> None:
    demo = TransportModel(DemoTransport(words_per_second=0))
    rig.api.responder = demo
    conversation = await rig.begin(rig.cast.owner)
    await ended(await in_db(send, conversation, "", photo()))
    answer = (await rig.answer(conversation))["text"]
    assert "cannot see images" in answer
    assert "colleague" in answer
    await ended(await in_db(send, conversation, "Where is my order AP-100002?", photo(10)))
    answer = (await rig.answer(conversation))["text"]
    assert "cannot see images" in answer
    assert "AP-100002" in answer, "the words are answered all the same"
    await rig.ask(conversation, "Where is my order AP-100002?")
    assert "cannot see" not in (await rig.answer(conversation))["text"], "that was another message's image"


async def test_an_image_that_the_api_refuses_ends_with_a_person(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(says(json.dumps(PLAN)), fails(400, "invalid_request_error", "could not process image"))
    turn = await ended(await in_db(send, conversation, "What is wrong with it?", photo()))
    assert turn.state == "escalated"


def _replayed(turn_id: UUID) -> UUID:
    return replay_create(turn_id=turn_id).pk
