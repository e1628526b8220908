"""Images: checked, written anew without what they carried, sent once, and shown to those who may read."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image, PngImagePlugin

from support_agent.models import Turn
from support_agent.runtime.history import turn_input
from tests.api.conftest import Caller, picture
from tests.cast import Cast
from tickets.models import Attachment, Customer, Message
from tickets.services.attachments import MAX_BYTES, safe_name

Page = Callable[[Customer], tuple[Caller, str]]


def bomb() -> bytes:
    """A PNG of 60,000 × 60,000 pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 500_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("kind", "type_"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_an_image_is_taken_and_shown(caller: Caller, kind: str, type_: str) -> None:
    answer = caller.upload(picture(kind), name="my tent.png")
    assert answer.status == 201
    assert set(answer.json) == {"id", "name", "content_type", "size", "url"}
    assert answer.json["content_type"] == type_
    shown = caller.get(answer.json["url"].removeprefix("/api/v1"))
    assert (shown.status, shown.type, len(shown.content)) == (200, type_, answer.json["size"])
    assert Image.open(io.BytesIO(shown.content)).size == (40, 30)
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Disposition"] == f'attachment; filename="{answer.json["name"]}"'
    assert shown.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_what_the_file_carried_is_gone(caller: Caller) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Comment", "Secret Text")
    for content in (
        picture("JPEG", exif=exif.tobytes(), comment=b"Secret Text"),
        picture("PNG", pnginfo=comment, icc_profile=b"Secret Profile"),
        picture("WEBP", exif=exif.tobytes(), xmp=b"Secret Text"),
        picture("PNG") + b"<script>Secret Tail</script>",
    ):
        assert b"Secret" in content
        url = caller.upload(content).json["url"]
        assert b"Secret" not in caller.get(url.removeprefix("/api/v1")).content


def test_only_the_first_picture_of_several_is_kept(caller: Caller) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, format="WEBP", save_all=True, append_images=frames[1:])
    url = caller.upload(out.getvalue()).json["url"]
    assert getattr(Image.open(io.BytesIO(caller.get(url.removeprefix("/api/v1")).content)), "n_frames", 1) == 1


def test_a_stored_type_that_is_no_image_is_handed_out_as_bytes(caller: Caller) -> None:
    url = caller.upload(picture(), name="a\u202egnp.html").json["url"]
    Attachment.objects.update(content_type="text/html", name='x"\r\nSet-Cookie: a=1; <b>.html')
    shown = caller.get(url.removeprefix("/api/v1"))
    assert shown.type == "application/octet-stream"
    assert shown.headers["Content-Disposition"].startswith("attachment")
    assert "Set-Cookie" not in shown.headers
    assert "private" in shown.headers["Cache-Control"]


def test_a_turned_photo_stands_upright(caller: Caller) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    url = caller.upload(picture("JPEG", exif=exif.tobytes())).json["url"]
    assert Image.open(io.BytesIO(caller.get(url.removeprefix("/api/v1")).content)).size == (30, 40)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"PK\x03\x04" + b"\0" * 200,
        b"%PDF-1.7\n" + b"\0" * 200,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        picture("PNG", size=(200, 200))[:-60],
        picture("GIF"),
        picture("BMP"),
        bomb(),
    ],
    ids=["empty", "text", "svg", "html", "zip", "pdf", "broken", "cut", "gif", "bmp", "bomb"],
)
def test_what_is_no_image_we_take(caller: Caller, media: Path, content: bytes) -> None:
    assert caller.upload(content).refusal in {(415, "unsupported_file"), (422, "invalid")}
    assert not Attachment.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 2 * MAX_BYTES])
def test_too_large(caller: Caller, size: int) -> None:
    assert caller.upload(picture() + b"\0" * size).refusal == (413, "too_large")


def test_without_a_file(caller: Caller) -> None:
    answer = caller.post(f"/conversations/{caller.id}/attachments")
    assert answer.refusal == (422, "invalid")
    assert answer.json["errors"][0]["field"] == "file"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("photo.jpeg", "photo.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\fakepath\\tent.jpg", "tent.png"),
        ('a"b\r\nX-Evil: 1.png', "a_b_X-Evil_ 1.png"),
        ("\u202egnp.exe", "gnp.png"),
        ("...", "image.png"),
        ("", "image.png"),
        ("x" * 300 + ".png", "x" * 80 + ".png"),
        ("Zelt größer.png", "Zelt größer.png"),
    ],
)
def test_names_are_made_harmless(name: str, kept: str) -> None:
    assert safe_name(name, ".png") == kept


def test_sent_with_a_message(caller: Caller) -> None:
    image = caller.upload(picture(), name="broken pole.png").json
    answer = caller.say("", attachments=[image["id"]])
    assert answer.status == 202
    assert answer.json["message"]["attachments"] == [image]
    assert caller.events()[-1]["message"]["attachments"] == [image]
    turn = turn_input(Turn.objects.get(pk=answer.json["turn"]["id"]))
    assert turn.text == "(attached image: broken pole.png)"


def test_sent_once(caller: Caller) -> None:
    image = caller.upload(picture()).json["id"]
    key = str(uuid4())
    first = caller.say("Look", attachments=[image], client_message_id=key)
    assert caller.say("Look", attachments=[image], client_message_id=key).json == first.json
    assert caller.say("Again", attachments=[image]).refusal == (404, "not_found")
    assert Message.objects.count() == 1


def test_nobody_elses_image(caller: Caller, foreign: Caller) -> None:
    theirs = foreign.upload(picture()).json
    assert caller.say("Mine now", attachments=[theirs["id"]]).refusal == (404, "not_found")
    assert caller.say("None", attachments=[str(uuid4())]).refusal == (404, "not_found")
    assert not Message.objects.exists()
    assert caller.upload(picture(), at=foreign.id).refusal == (404, "not_found")
    assert caller.get(f"/conversations/{foreign.id}/attachments/{theirs['id']}").refusal == (404, "not_found")
    assert caller.get(f"/conversations/{caller.id}/attachments/{theirs['id']}").refusal == (404, "not_found")


def test_too_many_at_once(caller: Caller) -> None:
    ids = [caller.upload(picture()).json["id"] for _ in range(6)]
    assert caller.say("All of them", attachments=ids).refusal == (415, "unsupported_file")


def test_staff_who_are_signed_in_see_it(caller: Caller, cast: Cast, client: Any) -> None:
    url = caller.upload(picture()).json["url"]
    for user, status in ((cast.agent, 200), (cast.owner_user, 404), (cast.stranger, 404)):
        client.force_login(user)
        assert client.get(url).status_code == status
