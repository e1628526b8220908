"""Images where they are seen: in the page, over the socket, before staff; at addresses that hold some hours."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from PIL import Image

from support_agent.chat.visitors import SESSION_KEY
from tests.cast import Cast
from tests.chat.conftest import Line, begin
from tickets.access import Visitor
from tickets.db import in_db
from tickets.models import Attachment, Conversation
from tickets.pictures import HOURS, picture_address
from tickets.services.attachments import attachment_add, attachment_payload
from tickets.services.conversations import conversation_create

ADDRESS = re.compile(r'src="(/chat/[0-9a-f-]{36}/images/[0-9a-f-]{36}/\?key=[0-9a-f.]+)"')


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def send(conversation: Conversation, text: str = "Look", name: str = "bent pole.png") -> Attachment:
    from support_agent.runtime.submit import submit_message

    out = io.BytesIO()
    Image.new("RGB", (40, 30), (20, 90, 60)).save(out, format="PNG")
    attachment = attachment_add(conversation=conversation, name=name, content=out.getvalue())
    submit_message(
        conversation=conversation, visitor=Visitor(), client_message_id=uuid4(), text=text, attachments=[attachment.pk]
    )
    return attachment


@pytest.fixture
def own(client: Client, db: None) -> Conversation:
    """A conversation of this browser."""
    conversation, _ = conversation_create(channel="chat")
    session = client.session
    session[SESSION_KEY] = [str(conversation.pk)]
    session.save()
    return conversation


def test_a_thumbnail_with_its_name_opens_in_full_size_without_a_cookie(client: Client, own: Conversation) -> None:
    attachment = send(own)
    page = client.get("/").content.decode()
    (address,) = ADDRESS.findall(page)
    assert 'alt="Image: bent pole.png"' in page
    assert f'href="{address}" target="_blank" rel="noopener"' in page
    shown = Client().get(address)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert len(shown.content) == attachment.size
    assert shown["Content-Disposition"] == 'inline; filename="bent pole.png"'
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert shown["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert shown["Cross-Origin-Resource-Policy"] == "same-origin"
    assert shown["Cache-Control"].startswith("private")


def test_an_image_without_words_has_no_empty_bubble(client: Client, own: Conversation) -> None:
    send(own, text="")
    assert 'class="words"' not in client.get("/").content.decode()


def test_an_address_is_for_one_image_in_one_conversation_and_for_some_hours(
    client: Client, own: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, another = send(own), send(own, name="other.png")
    foreign = send(conversation_create(channel="chat")[0])
    address, stranger = picture_address(attachment_payload(mine)), Client()
    path, key = address.split("?key=")
    for wrong in (
        path,
        f"{path}?key={key[:-1]}{'0' if key[-1] != '0' else '1'}",
        f"{path}?key=9{key}",
        f"{path}?key=%00",
        f"{path.replace(str(mine.pk), str(another.pk))}?key={key}",
        f"{path.replace(str(mine.pk), str(foreign.pk))}?key={key}",
        f"{path.replace(str(own.pk), str(foreign.conversation_id))}?key={key}",
        f"{path.replace(str(mine.pk), str(uuid4()))}?key={key}",
    ):
        assert stranger.get(wrong).status_code == 404, wrong
    assert stranger.post(address).status_code == 405
    import time

    now = time.time()
    monkeypatch.setattr("tickets.pictures.time.time", lambda: now + HOURS * 3600 - 60)
    assert stranger.get(address).status_code == 200
    monkeypatch.setattr("tickets.pictures.time.time", lambda: now + (HOURS + 1) * 3600 + 60)
    assert stranger.get(address).status_code == 404
    assert ADDRESS.findall(client.get("/").content.decode())[0] != address, "a page made now has a fresh one"


def test_what_is_erased_is_gone_at_its_address(own: Conversation, media: Path) -> None:
    attachment = send(own)
    address = picture_address(attachment_payload(attachment))
    attachment.file.delete(save=False)
    assert Client().get(address).status_code == 404
    attachment.delete()
    assert Client().get(address).status_code == 404


def test_a_stored_type_that_is_no_image_is_a_download(own: Conversation) -> None:
    attachment = send(own)
    Attachment.objects.update(content_type="text/html")
    shown = Client().get(picture_address(attachment_payload(attachment)))
    assert shown["Content-Type"] == "application/octet-stream"
    assert shown["Content-Disposition"].startswith("attachment")


def test_staff_see_it_in_the_thread(own: Conversation, cast: Cast, client: Client) -> None:
    send(own)
    client.force_login(cast.agent)
    page = client.get(f"/admin/inbox/{own.pk}/").content.decode()
    (address,) = ADDRESS.findall(page)
    assert 'alt="Image: bent pole.png"' in page
    assert client.get(address).status_code == 200


def test_in_the_transcript_it_is_named(client: Client, own: Conversation) -> None:
    send(own)
    assert "[picture: bent pole.png]" in client.get(f"/chat/{own.pk}/transcript.txt").content.decode()


async def test_over_the_socket_each_client_gets_an_address_of_its_own_kind(
    people: Cast, lines: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation, token = await begin()
    attachment = await in_db(send, conversation)
    program, page = lines(conversation.pk, token=token), lines(conversation.pk, token=token, format="html")
    await program.open()
    await page.open()
    message = (await program.until("message"))["message"]
    assert message["attachments"][0]["url"] == (
        f"/api/v1/conversations/{conversation.pk}/attachments/{attachment.pk}"
    ), "programs send their token with the request"
    first = await fragment(page)
    import time

    later = time.time() + (HOURS + 2) * 3600
    monkeypatch.setattr("tickets.pictures.time.time", lambda: later)
    again = lines(conversation.pk, token=token, format="html")
    await again.open()
    assert await fragment(again) != first, "a rendered fragment is kept longer than its address holds"


async def fragment(line: Line) -> str:
    """The address in the next fragment that has one."""
    while True:
        if found := ADDRESS.findall(await line.text()):
            return str(found[0])


def test_addresses_are_made_of_our_own_only() -> None:
    one, two = UUID(int=1), UUID(int=2)
    assert picture_address({"url": f"/api/v1/conversations/{one}/attachments/{two}"}).startswith(f"/chat/{one}/images/")
    for url in ("", "https://evil.example/a.png", "javascript:alert(1)", f"/conversations/{one}/attachments/{two}/x"):
        assert picture_address({"url": url}) == ""
