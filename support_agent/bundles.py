"""Scripts that travel together as one file: small files in the tree, one request and one compression on the way.

The address holds a digest of the content, so that a browser may keep it for ever.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe
from rjsmin import jsmin

from support_agent.env import BASE_DIR

STATIC = BASE_DIR / "static"
BUNDLES = {
    "chat": (
        "vendor/htmx/htmx.min.js",
        "vendor/htmx/hx-ws.min.js",
        *(
            f"js/{name}.js"
            for name in (
                "words", "door", "polling", "line", "outbox", "announcer", "cards", "draft", "long", "attach",
                "times", "log", "chat", "focus",
            )
        ),
    ),
}  # fmt: skip


def address(name: str) -> str:
    """Where a bundle is as it is now."""
    return reverse("bundle", args=[name, _made(name)[1]])


@require_safe
def bundle(request: HttpRequest, name: str, digest: str) -> HttpResponse:
    """A page of an older version gets the newest, and does not keep it."""
    if name not in BUNDLES:
        raise Http404
    body, current = _made(name)
    answer = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    kept = "public, max-age=31536000, immutable" if digest == current else "no-cache"
    answer["Cache-Control"] = kept
    return answer


def _made(name: str) -> tuple[bytes, str]:
    """(content, digest); made once, with DEBUG whenever a file changed."""
    changed = max((STATIC / part).stat().st_mtime_ns for part in BUNDLES[name]) if settings.DEBUG else 0
    return _joined(name, changed)


@lru_cache(8)
def _joined(name: str, _changed: int) -> tuple[bytes, str]:
    parts = []
    for part in BUNDLES[name]:
        text = (STATIC / part).read_text("utf-8")
        parts.append(text if part.startswith("vendor/") else jsmin(text))
    body = ";\n".join(parts).encode()
    return body, hashlib.sha256(body).hexdigest()[:16]


urlpatterns = [path("bundles/<slug:name>.<slug:digest>.js", bundle, name="bundle")]
