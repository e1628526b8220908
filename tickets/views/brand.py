"""The company's logo, its icon, and the style sheet of its colours, at addresses that change when they do."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from tickets.models import Workspace
from tickets.palette import stylesheet
from tickets.workspace import workspace

FOR_EVER = {"public": True, "max_age": 365 * 24 * 3600, "immutable": True}


@require_safe
@gzip_page
def colours(request: HttpRequest) -> HttpResponse:
    """A page of an hour ago gets today's colours, and does not keep them under yesterday's address."""
    house = workspace()
    answer = HttpResponse(stylesheet(house.accent, house.accent_dark), content_type="text/css; charset=utf-8")
    _keep(answer, request.GET.get("v") == house.look)
    return answer


@require_safe
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    return _picture("logo", digest)


@require_safe
def icon(request: HttpRequest, digest: str) -> HttpResponse:
    return _picture("icon", digest)


def _picture(column: str, digest: str) -> HttpResponse:
    """Our own encoder's PNG; another digest than the present one leads nowhere."""
    found = Workspace.objects.filter(logo_digest=digest).values_list(column, flat=True).first()
    if not found:
        raise Http404
    answer = HttpResponse(bytes(found), content_type="image/png")
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    _keep(answer, True)
    return answer


def _keep(answer: HttpResponse, is_current: bool) -> None:
    answer["X-Content-Type-Options"] = "nosniff"
    if is_current:
        patch_cache_control(answer, **FOR_EVER)
    else:
        answer["Cache-Control"] = "no-cache"
