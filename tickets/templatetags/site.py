"""Addresses and data for those who read the page's head: search engines, previews of links."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from tickets import structured

register = template.Library()


@register.simple_tag
def absolute(path: str) -> str:
    """The full address of one of our paths, by the configured origin and never by what a request calls us."""
    return structured.absolute(path)


@register.simple_tag
def structured_data(*things: structured.Thing) -> SafeString:
    """What the page is about, as one JSON-LD block."""
    return structured.block([thing for thing in things if thing])
