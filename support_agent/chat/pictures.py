"""Images as they are served: by the API to whoever may read, and at signed addresses to the pages that show them."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from tickets.errors import NotFound
from tickets.models import Attachment
from tickets.pictures import picture_of
from tickets.services.attachments import CONTENT_TYPES

SERVED = frozenset(CONTENT_TYPES.values())


@require_GET
def picture(request: HttpRequest, conversation_id: UUID, attachment_id: UUID) -> HttpResponse:
    """Shown by the browser, so that a thumbnail opens in full size; the file is our own encoder's, and nothing runs."""
    try:
        attachment = picture_of(conversation_id, attachment_id, request.GET.get("key", ""))
        return image_response(attachment, is_download=False)
    except NotFound:
        raise Http404 from None


def image_response(attachment: Attachment, *, is_download: bool) -> HttpResponse:
    """The stored image. Raises NotFound when its file is gone."""
    try:
        with attachment.file.open("rb") as stored:
            content = stored.read()
    except FileNotFoundError:
        raise NotFound(_("There is no such attachment.")) from None
    is_image = attachment.content_type in SERVED
    disposition = content_disposition_header(is_download or not is_image, attachment.name)
    return HttpResponse(
        content,
        content_type=attachment.content_type if is_image else "application/octet-stream",
        headers={
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": disposition or "attachment",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, max-age=3600",
        },
    )
