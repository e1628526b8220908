"""Attachments: a customer's image is decoded, stripped and written anew; the bytes that came in are never kept.

What is stored is our own encoder's output, so no metadata (places, devices), no second format hidden behind the first
and nothing that a browser could take for a page survives.
"""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from tickets.errors import Conflict, DeskError, NotFound
from tickets.models import Attachment, Conversation, Message
from tickets.redaction import without_secrets

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Json = dict[str, Any]
MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 30_000_000  # checked before anything is decoded: a small file can hold a huge picture
MAX_SIDE = 2560
MAX_PER_MESSAGE = 5
MAX_UNSENT = 20  # a conversation's uploads that no message took yet
CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
ENDINGS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
SAVED_WITH: dict[str, Json] = {"PNG": {}, "JPEG": {"quality": 85}, "WEBP": {"quality": 85}}
NAME_UNSAFE = re.compile(r"[^\w .()-]+")


class FileRefused(DeskError):
    """Not an image we take; the text says which we do."""

    code = "unsupported_file"


class FileTooLarge(DeskError):
    code = "too_large"

    def __init__(self) -> None:
        super().__init__(_("An image may have %(size)s MB at most.") % {"size": MAX_BYTES // 1024 // 1024})


def attachment_payload(attachment: Attachment) -> Json:
    """The contract's attachment object, as messages carry it."""
    return {
        "id": str(attachment.pk),
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "url": f"/api/v1/conversations/{attachment.conversation_id}/attachments/{attachment.pk}",
    }


def attachment_add(*, conversation: Conversation, name: str, content: bytes) -> Attachment:
    """Keep an image (PNG, JPEG or WebP) until a message takes it.

    Raises FileTooLarge, FileRefused, or Conflict when too many wait to be sent.
    """
    if len(content) > MAX_BYTES:
        raise FileTooLarge
    if Attachment.objects.filter(conversation=conversation, message=None).count() >= MAX_UNSENT:
        raise Conflict(_("Too many images are waiting to be sent. Send a message with them first."))
    clean, kind = reencoded(content)
    attachment = Attachment(
        conversation=conversation,
        name=safe_name(name, ENDINGS[kind]),
        content_type=CONTENT_TYPES[kind],
        size=len(clean),
    )
    attachment.file.save("", ContentFile(clean), save=False)
    try:
        attachment.save(force_insert=True)
    except Exception:
        attachment.file.delete(save=False)  # no row, no file
        raise
    return attachment


def attachments_take(*, conversation: Conversation, ids: Sequence[UUID | str], into: Conversation) -> list[Attachment]:
    """The unsent attachments of a conversation, locked, in the order asked for; must run inside a transaction.

    They come as those of `into`, where the message is, and are saved by `attachments_bind`. Raises NotFound for a
    foreign, used or missing one alike, FileRefused for too many.
    """
    if not ids:
        return []
    wanted = list(dict.fromkeys(_uuid(each) for each in ids))
    if len(wanted) > MAX_PER_MESSAGE:
        raise FileRefused(_("A message can carry %(count)s images at most.") % {"count": MAX_PER_MESSAGE})
    unsent = Attachment.objects.select_for_update().filter(conversation=conversation, message=None, pk__in=wanted)
    found = {attachment.pk: attachment for attachment in unsent}
    if len(found) != len(wanted):
        raise NotFound(_("There is no such attachment."))
    for attachment in found.values():
        attachment.conversation = into
    return [found[each] for each in wanted]


@transaction.atomic
def attachments_bind(*, attachments: Sequence[Attachment], message: Message) -> None:
    """What was taken belongs to this message from now on."""
    for attachment in attachments:
        attachment.message = message
        attachment.save(update_fields=["message", "conversation"])


def reencoded(content: bytes) -> tuple[bytes, str]:
    """The picture alone, upright, at most MAX_SIDE pixels wide or high, and its format. Raises FileRefused."""
    from PIL import Image  # loaded with the first picture

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is stricter
            image = Image.open(io.BytesIO(content), formats=list(CONTENT_TYPES))
            kind = image.format or ""
            if image.width * image.height > MAX_PIXELS:
                raise FileRefused(_("That image has too many pixels. Please send a smaller one."))
            return _encode(image, kind), kind
    except FileRefused:
        raise
    except Exception:  # a decoder fed with hostile bytes raises nearly anything
        raise FileRefused(_("That file is not an image we can read. Please send a PNG, JPEG or WebP.")) from None


def safe_name(name: str, ending: str) -> str:
    """A name to show: no path, no control or direction marks, the ending of what the file is."""
    base = re.split(r"[/\\]", without_secrets(unicodedata.normalize("NFKC", name)[-500:]))[-1].rpartition(".")
    stem = NAME_UNSAFE.sub("_", base[0] or base[2]).strip(" ._")[:80]
    return (stem or "image") + ending


def _encode(image: Picture, kind: str) -> bytes:
    from PIL import ImageOps

    image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded small at once
    has_alpha = image.has_transparency_data and kind != "JPEG"
    clean = ImageOps.exif_transpose(image).convert("RGBA" if has_alpha else "RGB")
    clean.thumbnail((MAX_SIDE, MAX_SIDE))
    clean.info.clear()  # what encoders would copy: colour profile, comment, resolution
    out = io.BytesIO()
    clean.save(out, format=kind, **SAVED_WITH[kind])
    return out.getvalue()


def _uuid(value: UUID | str) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except ValueError:
        raise NotFound(_("There is no such attachment.")) from None
