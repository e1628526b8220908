"""Reports of the content security policy, in both of the forms browsers send, counted by kind.

Whatever is in a report was written by a browser we do not know: only a known directive, a host and a path are taken
from it, and the number of kinds is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from support_agent.models import PolicyReport

Json = dict[str, Any]
MOST_AT_ONCE = 20
MOST_KINDS = 500
OTHER = "other"
DIRECTIVES = frozenset(settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]) | {
    f"{source}-{part}" for source in ("script-src", "style-src") for part in ("elem", "attr")
}
WORDS = frozenset({"inline", "eval", "wasm-eval", "trusted-types-policy", "trusted-types-sink", "self"})
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,29}")
HOST = re.compile(r"[a-z0-9.:\[\]_-]{1,100}")
SEGMENT = re.compile(r"[a-z][a-z_-]{1,39}(\.(csv|json|txt|html))?")  # of our own paths; what has digits is an id
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    directive: str
    blocked: str
    path: str


def kinds_of(data: Any, own_host: str) -> Iterator[Kind]:
    """What a posted document tells of pages of `own_host` ("desk.example:8000"); anything else in it is left out.

    `{"csp-report": {…}}` is what `report-uri` brings, a list of `{"type": "csp-violation", "body": {…}}` is the
    Reporting API's.
    """
    for body in _bodies(data):
        page = _split(body.get("document-uri") or body.get("documentURL"))
        if page is None or page[0] != own_host:
            continue
        directive = body.get("effective-directive") or body.get("effectiveDirective") or body.get("violated-directive")
        name = directive.split()[0] if isinstance(directive, str) and directive.strip() else ""
        blocked = body.get("blocked-uri") or body.get("blockedURL")
        yield Kind(name if name in DIRECTIVES else OTHER, _blocked(blocked), _path(page[1]))


def record(kinds: Iterator[Kind]) -> int:
    """Count each; a kind seen for the first time is logged. How many were counted."""
    counted = 0
    for kind in kinds:
        counted += 1
        if _count(kind):
            continue
        if PolicyReport.objects.count() >= MOST_KINDS:
            kind = Kind(kind.directive, OTHER, "/")
        with transaction.atomic():
            _, is_new = PolicyReport.objects.get_or_create(
                directive=kind.directive, blocked=kind.blocked, path=kind.path
            )
            _count(kind)
        if is_new:
            log.warning("policy_violation", directive=kind.directive, blocked=kind.blocked, path=kind.path)
    return counted


def _count(kind: Kind) -> bool:
    rows = PolicyReport.objects.filter(directive=kind.directive, blocked=kind.blocked, path=kind.path)
    return rows.update(count=F("count") + 1, last_seen_at=timezone.now()) > 0


def _bodies(data: Any) -> Iterator[Json]:
    if isinstance(data, dict) and isinstance(data.get("csp-report"), dict):
        yield data["csp-report"]
    elif isinstance(data, list):
        for report in data[:MOST_AT_ONCE]:
            if (
                isinstance(report, dict)
                and report.get("type") == "csp-violation"
                and isinstance(report.get("body"), dict)
            ):
                yield report["body"]


def _split(url: Any) -> tuple[str, str] | None:
    """Host (with its port) and path of a web address."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return None
    return (parts.netloc.rpartition("@")[2].lower(), parts.path) if parts.scheme in ("http", "https") else None


def _blocked(uri: Any) -> str:
    """A host, a scheme, or one of the words browsers use; never a path or what follows it."""
    if (found := _split(uri)) is not None:
        return found[0] if HOST.fullmatch(found[0]) else OTHER
    text = uri.lower() if isinstance(uri, str) else ""
    if text in WORDS:
        return text
    scheme = text.partition(":")[0]
    return f"{scheme}:" if SCHEME.fullmatch(scheme) else OTHER


def _path(path: str) -> str:
    """A page's path with every part that could name somebody as `-`."""
    parts = [part if not part or SEGMENT.fullmatch(part) else "-" for part in path[:500].split("/")]
    return ("/".join(parts) or "/")[:120]
