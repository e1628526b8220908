"""Addresses under which one image may be seen for some hours, without a cookie: `<img>` can send no bearer token.

An address is made whenever a message is rendered for somebody who may read it, and is bound to the image, its
conversation and an hour; within that hour it stays the same, so that browsers keep what they have.
"""

from __future__ import annotations

import hmac
import re
import time
from typing import Any
from uuid import UUID

from django.utils.crypto import salted_hmac

from tickets.errors import NotFound
from tickets.models import Attachment

HOURS = 6
"""An address holds this long at least, and an hour more at most."""
_OWN = re.compile(r"/conversations/([0-9a-f-]{36})/attachments/([0-9a-f-]{36})$")
_KEY = re.compile(r"(\d{1,9})\.([0-9a-f]{64})")


def picture_address(file: dict[str, Any]) -> str:
    """The address of an attachment, given as messages carry it; '' when it names none of ours."""
    found = _OWN.search(str(file.get("url", "")))
    if found is None:
        return ""
    until = int(time.time() // 3600) + HOURS + 1
    return f"/chat/{found[1]}/images/{found[2]}/?key={until}.{_signature(found[1], found[2], until)}"


def picture_of(conversation_id: UUID, attachment_id: UUID, key: str) -> Attachment:
    """The image an address leads to. Raises NotFound for a forged or expired one as for an erased image."""
    found = _KEY.fullmatch(key)
    if found is None or int(found[1]) * 3600 < time.time():
        raise NotFound("There is no such image.")
    if not hmac.compare_digest(found[2], _signature(str(conversation_id), str(attachment_id), int(found[1]))):
        raise NotFound("There is no such image.")
    attachment = Attachment.objects.filter(pk=attachment_id, conversation=conversation_id).first()
    if attachment is None:
        raise NotFound("There is no such image.")
    return attachment


def _signature(conversation_id: str, attachment_id: str, until: int) -> str:
    told = f"{conversation_id}:{attachment_id}:{until}"
    return salted_hmac("tickets.picture_address", told, algorithm="sha256").hexdigest()
