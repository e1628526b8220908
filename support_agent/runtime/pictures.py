"""What customers attached, before the model's eyes: references become image blocks as a call goes out, not before."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from support_agent.agent.pictures import filled, reference, referred
from support_agent.agent.types import Block, Json, ModelPort, ModelReply, ModelRequest, OnText, Tier
from tickets.db import in_db
from tickets.models import Attachment, Message

MAX_SEEN = 6  # the newest pictures of a conversation; older ones are only named
MAX_PIXELS = 1_000_000
AS_STORED = 400 * 1024  # bytes: a small file goes out as it is
GONE = "(this image is no longer kept)"


class Seeing:
    """A ModelPort that sees the pictures of one conversation and of no other."""

    def __init__(self, model: ModelPort, conversation_id: UUID) -> None:
        self._model, self._conversation_id = model, conversation_id

    def model_id(self, tier: Tier) -> str:
        return self._model.model_id(tier)

    def worst_case_usd(self, request: ModelRequest) -> Decimal:
        return self._model.worst_case_usd(request)

    async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        if wanted := set(referred(request.messages)):
            seen = await in_db(_seen, self._conversation_id, wanted)
            request = filled(request, lambda source: seen.get(source["id"]) or {"type": "text", "text": GONE})
        return await self._model.call(request, on_text)


def pictures_of(message: Message) -> list[Block]:
    """References to what a customer's message carries."""
    if message.role != Message.Role.CUSTOMER:
        return []
    return [reference(file["id"], str(file.get("name", ""))) for file in message.attachments if "id" in file]


def _seen(conversation_id: UUID, wanted: Collection[str]) -> dict[str, Block]:
    """Image blocks by id, of those that are still kept."""
    rows = Attachment.objects.filter(conversation=conversation_id, message__isnull=False, pk__in=wanted)
    blocks = {str(row.pk): _block(row) for row in rows}
    return {key: block for key, block in blocks.items() if block is not None}


def _block(row: Attachment) -> Block | None:
    try:
        media_type, data = _pixels(row.pk, row.file.name, row.content_type)
    except FileNotFoundError:
        return None
    source: Json = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": "image", "source": source}


@lru_cache(maxsize=24)  # a turn asks for the same ones at each call; the row is looked for each time
def _pixels(pk: UUID, name: str, content_type: str) -> tuple[str, str]:
    """(media type, base64) of at most MAX_PIXELS: always the same bytes, or the cached prefix would be lost."""
    from PIL import Image  # loaded with the first picture

    with Attachment._meta.get_field("file").storage.open(name) as stored:  # type: ignore[union-attr]
        content: bytes = stored.read()
    with Image.open(io.BytesIO(content)) as image:
        share = (MAX_PIXELS / max(1, image.width * image.height)) ** 0.5
        if share < 1 or len(content) > AS_STORED:
            image.thumbnail((max(1, int(image.width * share)), max(1, int(image.height * share))))
            flat = Image.new("RGB", image.size, "white")
            flat.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
            out = io.BytesIO()
            flat.save(out, format="JPEG", quality=85)
            content_type, content = "image/jpeg", out.getvalue()
    return content_type, base64.b64encode(content).decode()
