"""Which language a request is answered in, the menu that chooses it, and what follows a choice.

In this order: `?locale=` of the address, the choice made in the menu (a cookie), what is known of whoever came (the
conversation they were led back to, the customer who signed in), Accept-Language. Staff pages are English.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from support_agent.chat.conversations import conversation_current
from support_agent.chat.visitors import visitor_of_request
from tickets.languages import ENGLISH, language_of
from tickets.services.locales import conversation_speak

STAFF_PATHS = ("/admin/", "/django-rq/")
NO_SESSION = (
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/",
)  # machines: what they send with the request is all that counts
SESSION_KEY = "language"


class LanguageMiddleware:
    """Activates the language of each request, and says so in its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_staff = request.path.startswith(STAFF_PATHS)
        language = ENGLISH if is_staff else language_of_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or language)
        if not is_staff:
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response


def language_of_request(request: HttpRequest) -> str:
    """As the module says; never one we do not speak."""
    if (asked := asked_for(request.GET.get("locale", ""))) or (asked := chosen(request)):
        return asked
    known = "" if request.path.startswith(NO_SESSION) else asked_for(str(request.session.get(SESSION_KEY, "")))
    return known or language_of(translation.get_language_from_request(request))


def asked_for(locale: str) -> str:
    """The language of a locale if we speak it, else nothing."""
    language = language_of(locale)
    return language if locale and locale.lower().startswith(language) else ""


def chosen(request: HttpRequest) -> str:
    """What this browser chose in the menu, or nothing."""
    return asked_for(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))


def follow(request: HttpRequest, locale: str) -> None:
    """Go on in the language of whoever turned out to be here, unless this browser has chosen one itself."""
    language = asked_for(locale)
    if language and not chosen(request):
        request.session[SESSION_KEY] = language
        translation.activate(language)
        request.LANGUAGE_CODE = language


def signed_in(request: HttpRequest, locale: str) -> None:
    """A customer's own locale; plain 'en' is what everybody has of whom nobody asked."""
    if locale != ENGLISH:
        follow(request, locale)


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """The menu: remembered in a cookie; the conversation that is open goes on in it too."""
    response: HttpResponse = set_language(request)
    if language := asked_for(request.POST.get("language", "")):
        conversation = conversation_current(request.session, visitor_of_request(request))
        if conversation is not None:
            conversation_speak(conversation=conversation, language=language)
    return response
