"""Every refusal of the API as an RFC 9457 problem: type, title, status, detail, and a `code` for programs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from tickets.errors import DeskError, NotEligible, RateLimited

Json = dict[str, Any]
log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
STATUS_OF = {  # DeskError's codes; any other is 422
    "not_found": 404,
    "not_allowed": 403,
    "conflict": 409,
    "not_eligible": 409,
    "expired": 410,
    "too_large": 413,
    "unsupported_file": 415,
    "rate_limited": 429,
    "budget": 429,
    "paused": 503,
}
CODE_OF = {
    400: "malformed",
    401: "unauthorised",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    429: "rate_limited",
}
UNAUTHORISED = "Send “Authorization: Bearer …” with a token that is valid here, or the browser's session cookie."


class Problem(Exception):
    """A refusal of the API's own, where no DeskError says it."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


def problem(status: int, detail: str, *, code: str = "", **extra: Any) -> HttpResponse:
    """The answer itself; `extra` are further members of the document."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code or CODE_OF.get(status, "error"),
        **extra,
    }
    headers = {"WWW-Authenticate": 'Bearer realm="support"'} if status == 401 else {}
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE, headers=headers)


def handle_problems(api: NinjaAPI) -> None:
    """Give the API its handlers: nothing leaves it that is not a problem document."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        DeskError: _desk_error,
        Problem: lambda _, exc: problem(exc.status, exc.detail, code=exc.code),
        ValidationError: _invalid,
        AuthenticationError: lambda *_: problem(401, UNAUTHORISED),
        HttpError: lambda _, exc: problem(exc.status_code, exc.message),
        Http404: lambda *_: problem(404, "There is nothing here."),
        RequestDataTooBig: lambda *_: problem(413, "The request is too large."),
        SuspiciousOperation: lambda *_: problem(400, "The request cannot be used."),
        OperationalError: _database_away,
        InterfaceError: _database_away,
        Exception: _unexpected,
    }
    for error, handler in handlers.items():
        api.add_exception_handler(error, handler)


def refusals(*statuses: int) -> Json:
    """`openapi_extra` that documents these problem answers, and those every call may give."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "responses": {
            status: {"description": HTTPStatus(status).phrase, "content": content}
            for status in sorted({*statuses, 400, 403, 422, 429})
        }
    }


def _desk_error(_: HttpRequest, error: DeskError) -> HttpResponse:
    extra: Json = {"reason": error.reason} if isinstance(error, NotEligible) else {}
    answer = problem(STATUS_OF.get(error.code, 422), error.message, code=error.code, **extra)
    if isinstance(error, RateLimited):
        answer["Retry-After"] = str(error.retry_after)
    return answer


def _invalid(_: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"field": _field(found["loc"]), "message": found["msg"]} for found in error.errors]
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in errors)[:500]
    return problem(422, detail, code="invalid", errors=errors)


def _field(location: Iterable[int | str]) -> str:
    """`text` out of ("body", "data", "text"): the name a caller knows."""
    source, *path = location
    if source == "body" and len(path) > 1:
        path = path[1:]
    return ".".join(map(str, path)) or str(source)


def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    """No connection free or to be had, or one that broke: the same call may well work in a moment."""
    log.error("database_away", exc_info=error, extra={"path": request.path})
    answer = problem(503, "We cannot answer just now. Please try again in a few seconds.", code="busy")
    answer["Retry-After"] = "5"
    return answer


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("api_failed", exc_info=error, extra={"path": request.path})
    return problem(500, "Something went wrong on our side. Please try again.", code="internal")
