"""Images: uploaded for a message, and shown to those who may read the conversation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from ninja import File, Router, Status, UploadedFile

from support_agent.chat.api.auth import CONVERSATION, VisitorRequest, conversation_of
from support_agent.chat.api.problems import refusals
from support_agent.chat.api.schemas import AttachmentOut
from support_agent.runtime.ratelimit import allow
from tickets.access import conversation_for_staff, conversation_for_visitor
from tickets.errors import NotAllowed, NotFound
from tickets.models import Attachment, Conversation, User
from tickets.services.attachments import CONTENT_TYPES, MAX_BYTES, attachment_add, attachment_payload

SERVED = frozenset(CONTENT_TYPES.values())

router = Router(tags=["Attachments"], auth=CONVERSATION)


@router.post(
    "/{uuid:conversation_id}/attachments",
    response={201: AttachmentOut},
    summary="Upload an image",
    openapi_extra=refusals(401, 404, 409, 413, 415),
)
def upload(request: VisitorRequest, conversation_id: UUID, file: File[UploadedFile]) -> Status[Any]:
    """PNG, JPEG or WebP up to 5 MB. It is decoded and written anew, without metadata; send its id with a message."""
    conversation = conversation_of(request, conversation_id)
    allow("attachment", str(conversation.pk))
    if request.auth.address:
        allow("attachment_address", request.auth.address)
    attachment = attachment_add(conversation=conversation, name=file.name or "", content=file.read(MAX_BYTES + 1))
    return Status(201, attachment_payload(attachment))


@router.get(
    "/{uuid:conversation_id}/attachments/{uuid:attachment_id}",
    summary="The image itself",
    openapi_extra={
        "responses": {
            200: {"description": "OK", "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}},
            **refusals(401, 404)["responses"],
        }
    },
)
def show(request: VisitorRequest, conversation_id: UUID, attachment_id: UUID) -> HttpResponse:
    """For the conversation's own people, and for staff who are signed in: shown within a page, else a download."""
    conversation = _readable(request, conversation_id)
    attachment = Attachment.objects.filter(conversation=conversation, pk=attachment_id).first()
    if attachment is None:
        raise NotFound("There is no such attachment.")
    try:
        with attachment.file.open("rb") as stored:
            content = stored.read()
    except FileNotFoundError:
        raise NotFound("There is no such attachment.") from None
    return HttpResponse(
        content,
        content_type=attachment.content_type if attachment.content_type in SERVED else "application/octet-stream",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": content_disposition_header(True, attachment.name) or "attachment",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, max-age=3600",
        },
    )


def _readable(request: VisitorRequest, conversation_id: UUID) -> Conversation:
    """Through the visitor's gate, else through the staff's; closed ones look like missing ones."""
    try:
        return conversation_for_visitor(conversation_id, request.auth)
    except NotFound:
        user = request.user
        if request.auth.token or not isinstance(user, User):
            raise
    try:
        return conversation_for_staff(conversation_id, user)
    except NotAllowed:
        raise NotFound("There is no such conversation.") from None
