"""Markdown to safe HTML: no raw HTML in, only allowed tags out, links only to hosts we allow (promise I8)."""

from __future__ import annotations

from urllib.parse import urlsplit

import nh3
from django.conf import settings
from markdown_it import MarkdownIt

_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "code", "pre", "blockquote", "h2", "h3", "h4", "hr"}
_TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
_markdown = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}).disable("image")


def render(text: str) -> str:
    """HTML of a message or article, safe to show anywhere; a link to a foreign host keeps only its text."""
    return nh3.clean(
        _markdown.render(text),
        tags=_TAGS | _TABLE,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto"},
        attribute_filter=_keep_allowed_links,
        link_rel=None,
    )


def _keep_allowed_links(tag: str, attribute: str, value: str) -> str | None:
    if tag != "a" or attribute != "href":
        return None
    return value if link_allowed(value) else None


def link_allowed(url: str) -> bool:
    """Our own pages, our own mail addresses, and the hosts in LINK_HOSTS."""
    if url.startswith("/") and not url.startswith(("//", "/\\")):
        return True
    parts = urlsplit(url)
    if parts.scheme == "mailto":
        return parts.path.rpartition("@")[2].lower() in settings.LINK_HOSTS
    return parts.scheme in {"http", "https"} and (parts.hostname or "") in settings.LINK_HOSTS
