"""Who calls: the bearer of a conversation's token, a browser's session with CSRF, or staff with an API key."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from ninja.security import APIKeyHeader, HttpBearer
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from support_agent.addresses import client_address
from support_agent.chat.api.problems import Problem
from support_agent.chat.visitors import has_credentials, visitor_of_request
from support_agent.models import ApiKey
from support_agent.runtime.ratelimit import allow
from tickets.access import Visitor, conversation_for_visitor, staff_roles
from tickets.languages import language_of
from tickets.models import Conversation


class VisitorRequest(HttpRequest):
    auth: Visitor


class StaffRequest(HttpRequest):
    auth: ApiKey


class BearerToken(HttpBearer):
    """A token alone: the browser's cookie, should there be one, counts for nothing beside it."""

    openapi_description = "The `token` a conversation was created with. It opens that conversation and no other."

    def authenticate(self, request: HttpRequest, token: str) -> Visitor | None:
        visitor = Visitor(token=token.strip(), address=client_address(request.META))
        return visitor if has_credentials(visitor) else None


class SessionCookie(AuthBase):
    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The browser's session, of our own pages. Unsafe methods need `X-CSRFToken` as well."

    def __call__(self, request: HttpRequest) -> Visitor | None:
        if "Authorization" in request.headers:
            return None
        visitor = visitor_of_request(request)
        if not has_credentials(visitor):
            return None
        require_csrf(request)
        return visitor


class StaffKey(HttpBearer):
    openapi_description = "A staff API key (`sk-staff-…`)."

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        return staff_key(token.strip())


class StaffKeyHeader(APIKeyHeader):
    param_name = "X-API-Key"
    openapi_description = "A staff API key (`sk-staff-…`), in a header of its own."

    def authenticate(self, request: HttpRequest, key: str | None) -> ApiKey | None:
        return staff_key(key) if key else None


CONVERSATION = [BearerToken(), SessionCookie()]
STAFF = [StaffKey(), StaffKeyHeader()]


def staff_key(raw: str) -> ApiKey | None:
    """The key's row while it is not revoked and its owner still is staff."""
    found = ApiKey.objects.select_related("user").filter(key_hash=ApiKey.hash(raw), revoked_at=None).first()
    return found if found and staff_roles(found.user) else None


def require_csrf(request: HttpRequest) -> None:
    """Raises Problem unless the method is safe or the request proves to come from our own page."""
    if check_csrf(request) is not None:
        raise Problem(403, "csrf", "Send the CSRF token of the page as X-CSRFToken.")


def conversation_of(request: VisitorRequest, conversation_id: UUID) -> Conversation:
    """The caller's own conversation; what this call says from here on is in its language. Raises NotFound for foreign
    and missing alike, RateLimited."""
    conversation = conversation_for_visitor(conversation_id, request.auth)
    translation.activate(language_of(conversation.locale))  # LanguageMiddleware ends it with the request
    allow("frame", str(conversation.pk))
    return conversation
