"""Whose pages these are, in every template: a builtin of the template engine, so that no page has to load it. Pages of
errors, which are rendered without a request, have it as well."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tickets.workspace import Workspace
from tickets.workspace import workspace as current

register = template.Library()


@register.simple_tag
def workspace() -> Workspace:
    """The company: `{% workspace as house %}`."""
    return current()


@register.simple_tag
def brand() -> str:
    """The company's name."""
    return current().name


@register.simple_tag
def privacy_address() -> str:
    """Where the privacy notice is: the company's own page, or ours."""
    return current().privacy_url or "/privacy/"


@register.simple_tag
def brand_mark() -> SafeString:
    """The logo, 24 pixels high; its name stands beside it."""
    house = current()
    source = f"/brand/logo-{house.logo_digest}.png" if house.logo_digest else static("img/mark.svg")
    return format_html('<img src="{}" alt="" width="{}" height="24">', source, house.logo_width)


@register.simple_tag
def brand_head() -> SafeString:
    """The icon of the tab, and the colours where they are the company's own; after tokens.css, which they replace."""
    house = current()
    if house.logo_digest:
        icon = format_html('<link rel="icon" type="image/png" href="/brand/icon-{}.png">', house.logo_digest)
    else:
        icon = format_html('<link rel="icon" type="image/svg+xml" href="{}">', static("img/mark.svg"))
    if not house.accent:
        return icon
    return format_html('{}\n<link rel="stylesheet" href="/workspace.css?v={}">', icon, house.look)
