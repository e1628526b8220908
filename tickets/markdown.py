"""Markdown to safe HTML: no raw HTML in, only allowed tags out, links only to hosts we allow (promise I8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.conf import settings
from markdown_it import MarkdownIt

from tickets.workspace import workspace

Source = dict[str, Any]

REL = "noopener noreferrer nofollow"
"""Of every link in what somebody wrote: the page it leads to learns nothing of ours, and gains nothing by it."""
_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "code", "pre", "blockquote", "h2", "h3", "h4", "hr"}
_TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
_ODD = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]")  # what browsers drop or read as a slash, and we would not
_markdown = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True}).disable("image")


def render(text: str) -> str:
    """HTML of a message or article, safe to show anywhere; a link to a foreign host keeps only its text."""
    return nh3.clean(
        _markdown.render(text),
        tags=_TAGS | _TABLE,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto"},
        attribute_filter=_keep_allowed_links,
        link_rel=REL,
    )


def _keep_allowed_links(tag: str, attribute: str, value: str) -> str | None:
    if attribute == "rel":
        return REL  # the cleaner's own: nobody can write one
    return value if tag == "a" and attribute == "href" and link_allowed(value) else None


def link_allowed(url: object) -> bool:
    """Our own pages, the workspace's website and mail addresses; nothing browsers read another way than we."""
    if not isinstance(url, str) or _ODD.search(url):
        return False
    if url.startswith("/") and not url.startswith("//"):
        return True
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme == "mailto":
        address = parts.path.lower()
        return address in workspace().addresses or address.rpartition("@")[2] in own_hosts()
    own_host = parts.scheme in {"http", "https"} and parts.hostname in own_hosts()
    return own_host and "@" not in parts.netloc


def own_hosts() -> frozenset[str]:
    """Where links may lead besides our own pages."""
    return workspace().hosts.union(settings.LINK_HOSTS)


def with_allowed_links(sources: Sequence[Source]) -> list[Source]:
    """A message's sources without those that lead elsewhere."""
    return [source for source in sources if link_allowed(source.get("url"))]
