"""Images: uploaded for a message, and shown to those who may read the conversation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import File, Router, Status, UploadedFile

from support_agent.chat.api.auth import CONVERSATION, VisitorRequest, conversation_of
from support_agent.chat.api.problems import refusals
from support_agent.chat.api.schemas import AttachmentOut
from support_agent.chat.pictures import image_response
from support_agent.runtime.ratelimit import allow
from support_agent.sign_in.gate import is_through
from tickets.access import conversation_for_staff, conversation_for_visitor
from tickets.errors import NotAllowed, NotFound
from tickets.models import Attachment, Conversation, User
from tickets.services.attachments import MAX_BYTES, attachment_add, attachment_payload

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
    return image_response(attachment, is_download=True)


def _readable(request: VisitorRequest, conversation_id: UUID) -> Conversation:
    """Through the visitor's gate, else through the staff's; closed ones look like missing ones."""
    try:
        return conversation_for_visitor(conversation_id, request.auth)
    except NotFound:
        user = request.user
        if request.auth.token or not isinstance(user, User) or not is_through(request):
            raise
    try:
        return conversation_for_staff(conversation_id, user)
    except NotAllowed:
        raise NotFound("There is no such conversation.") from None
