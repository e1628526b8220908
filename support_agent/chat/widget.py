"""The chat on other sites: `/widget.js`, the launcher, and `/widget/`, its frame, which works without any cookie."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any
from uuid import UUID

from csp.constants import SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import get_supported_language_variant
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_GET, require_safe

from support_agent.chat.pages import chat_context
from support_agent.chat.visitors import visitor_with_token
from support_agent.chat.words import WIDGET_WORDS
from support_agent.env import BASE_DIR
from support_agent.origins import DEFAULT_PORTS, origin_of
from support_agent.runtime.ratelimit import allow
from tickets import palette
from tickets.access import conversation_for_visitor
from tickets.errors import NotFound, RateLimited
from tickets.languages import language_of, languages
from tickets.models import Conversation
from tickets.workspace import Workspace, workspace

Json = dict[str, Any]
View = Callable[..., HttpResponseBase]
SOURCE = Path(BASE_DIR) / "static" / "js" / "widget.js"
MARK = "/*words*/ {}"
COLOURS = [re.compile(rf"/\*{name}\*/.*?/\*\*/") for name in ("accent", "on")]
INDENT = re.compile(r"\n\s+")
THEMES = ("light", "dark")


def launcher() -> str:
    """The launcher's script with its words in every language of ours, in the workspace's name and colours."""
    return _script(SOURCE.stat().st_mtime_ns, workspace())[0]


@lru_cache(1)
def _made(_changed: int, name: str, spoken: tuple[str, ...], colours: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The script and its ETag. `spoken` are languages; `colours` has (light, dark) of the accent and of what stands on
    it, or nothing."""
    words = {}
    for language in spoken:
        with translation.override(language):
            words[language] = {key: str(text) % {"shop": name} for key, text in WIDGET_WORDS.items()}
    source = INDENT.sub("\n", SOURCE.read_text())
    for mark, pair in zip(COLOURS, colours, strict=False):
        source = mark.sub(", ".join(pair), source)
    made = source.replace(MARK, json.dumps(words, ensure_ascii=False, separators=(",", ":")))
    return made, f'"{hashlib.sha256(made.encode()).hexdigest()[:16]}"'


def _script(changed: int, house: Workspace) -> tuple[str, str]:
    tokens = palette.tokens(house.accent, house.accent_dark) if house.accent else {}
    colours = tuple(tokens[name] for name in ("accent", "on-accent") if tokens)
    return _made(changed, house.name, tuple(code for code, _ in languages()), colours)


def _etag(_request: HttpRequest) -> str:
    return _script(SOURCE.stat().st_mtime_ns, workspace())[1]


@require_safe
@gzip_page
@condition(etag_func=_etag)
def script(request: HttpRequest) -> HttpResponse:
    """The same for everybody: short in the caches of browsers, so that a new version is everywhere soon."""
    answer = HttpResponse(launcher(), content_type="text/javascript; charset=utf-8")
    answer["Cache-Control"] = "public, max-age=600, stale-while-revalidate=86400"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


def framed(view: View) -> View:
    """A page that the sites of WIDGET_ORIGINS may put into a frame, and no others."""

    @xframe_options_exempt
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        may = csp_replace({"frame-ancestors": [SELF, *settings.WIDGET_ORIGINS]})
        answer: HttpResponseBase = may(view)(request, *args, **kwargs)
        return answer

    return shown


@require_GET
@never_cache
@framed
def frame(request: HttpRequest) -> HttpResponse:
    """The chat before its first message; with `?quiet=1` a page that only counts what is unread."""
    if "quiet" in request.GET:
        return _page(request, "widget/quiet.html", {})
    return _page(request, "widget/frame.html", chat_context(None, None))


@require_GET
@never_cache
def thread(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The same page with a conversation in it, for its bearer token alone; the frame fetches it."""
    visitor = visitor_with_token(request)
    if not visitor.token:
        raise Http404
    try:
        conversation = conversation_for_visitor(conversation_id, visitor)
        allow("frame", str(conversation.pk))
    except NotFound:
        raise Http404 from None
    except RateLimited as refusal:
        return HttpResponse(status=429, headers={"Retry-After": str(refusal.retry_after)})
    return _page(request, "widget/frame.html", _context(conversation))


def origins(request: HttpRequest) -> list[str]:
    """Those who may embed the widget, as browsers write them: lower case, without a default port."""
    found = map(origin_of, [f"{request.scheme}://{request.get_host()}", *settings.WIDGET_ORIGINS])
    return [
        f"{scheme}://{host}" + ("" if port == DEFAULT_PORTS[scheme] else f":{port}")
        for scheme, host, port in filter(None, found)
    ]


def _context(conversation: Conversation) -> Json:
    return chat_context(conversation, conversation.customer)


def _page(request: HttpRequest, template: str, context: Json) -> HttpResponse:
    """In the language and theme the launcher asks for; the CSRF token is empty, since making one sets a cookie."""
    try:
        language = language_of(get_supported_language_variant(request.GET.get("locale", "")[:12]))
    except LookupError:
        language = translation.get_language() or settings.LANGUAGE_CODE
    theme = request.GET.get("theme", "")
    context |= {
        "framed": True,
        "csrf_token": "",
        "theme": theme if theme in THEMES else "",
        "widget": {"origins": origins(request), "locale": language},
    }
    with translation.override(language):
        answer = render(request, template, context)
    answer["Content-Language"] = language
    patch_vary_headers(answer, ["Authorization"])
    return answer
