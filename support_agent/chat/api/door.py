"""What every call passes before anything else: whole origins, size, methods; and what every answer gets."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from support_agent.chat.api.problems import problem
from support_agent.origins import origin_allowed, origin_of

View = Callable[..., HttpResponseBase]
MAX_BODY = 6 * 1024 * 1024  # the largest attachment with its multipart wrapping
ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-API-Key",
    "Access-Control-Expose-Headers": "Retry-After, X-Request-ID",
    "Access-Control-Max-Age": "600",
}


def at_the_door(view: View) -> View:
    """A foreign Origin is refused on every call; a listed one may read the answer, with a token but never a cookie."""

    @csrf_exempt  # with a session, auth.py asks for the token itself
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        origin = request.headers.get("Origin")
        own = f"{request.scheme}://{request.get_host()}"
        if origin is not None and not origin_allowed(origin, own, settings.ALLOWED_ORIGINS):
            return problem(403, "This origin may not call the API.", code="foreign_origin")
        answer = _answer(view, request, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(answer, ["Origin"])
        if origin is not None and origin_of(origin) != origin_of(own):
            for name, value in {"Access-Control-Allow-Origin": origin, **ALLOWED}.items():
                answer[name] = value
        return answer

    return guarded


def nothing_here(_: HttpRequest) -> HttpResponse:
    """The view of every path the API does not have."""
    return problem(404, "There is nothing here.")


def _answer(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return HttpResponse(status=204)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > MAX_BODY:
        return problem(413, "The request is too large.")
    try:
        answer = view(request, *args, **kwargs)
    except Http404:
        return nothing_here(request)
    if not isinstance(answer, HttpResponseNotAllowed):
        return answer
    refused = problem(405, f"This path does not know {request.method}.")
    refused["Allow"] = answer["Allow"]
    return refused
