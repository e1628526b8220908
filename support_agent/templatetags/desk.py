"""How the desk's pages write figures, spans of time and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any

from django import template
from django.template.defaultfilters import linebreaksbr
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import escape, format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe

from tickets.markdown import REL, link_allowed, render, with_allowed_links
from tickets.models import User
from tickets.pictures import picture_address
from tickets.selectors.notes import mentions_unread
from tickets.selectors.staff import staff_name as name_of
from tickets.services.notes import MENTION

register = template.Library()
WEB_ADDRESS = re.compile(r"\bhttps?://[^\s<>]+[^\s<>.,;:!?)]")


@register.filter
def usd(amount: Decimal | float) -> str:
    """$0.0123; whole cents from a dollar on."""
    value = Decimal(str(amount or 0))
    return f"${value:,.2f}" if value >= 1 else f"${value:,.4f}"


@register.filter
def count(number: int | None) -> str:
    """12,340"""
    return f"{number or 0:,}"


@register.filter
def share(part: object) -> str:
    """0.123 is 12.3%; nothing to share is a dash."""
    return f"{part:.1%}" if isinstance(part, int | float | Decimal) else "–"


@register.filter
def percent(part: object) -> str:
    """0.123 is 12%: where there is little room."""
    return f"{part:.0%}" if isinstance(part, int | float | Decimal) else "–"


@register.filter
def picture(file: dict[str, Any]) -> str:
    """Where a message's image can be seen for some hours."""
    return picture_address(file)


@register.filter
def moment(at: datetime) -> SafeString:
    """A time in UTC, which the page's script puts into the reader's own."""
    there = at.astimezone(UTC)
    return format_html('<time datetime="{}">{} UTC</time>', there.isoformat(), date_format(there, "j M, H:i"))


@register.filter
def span(milliseconds: int | None) -> str:
    """840 ms, 3.2 s, 2 min 5 s"""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


@register.filter
def plain(number: float) -> str:
    """A number for an attribute of SVG: 12.5, whatever the language of the page."""
    return f"{number:g}"


@register.filter
def away(moment: datetime | None) -> str:
    """How far from now, shortly: 4 min, 3 h, 12 d; the same for past and future."""
    if moment is None:
        return "–"
    seconds = abs((timezone.now() - moment).total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


@register.filter
def is_past(moment: datetime) -> bool:
    return moment < timezone.now()


@register.filter
def pretty(value: Any) -> str:
    """Indented JSON; autoescaped where it is shown."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def words(value: str) -> str:
    """model_call is 'model call'."""
    return str(value).replace("_", " ")


@register.filter
def staff_name(user: User | None) -> str:
    """The name colleagues and customers see."""
    return name_of(user)


@register.filter
def markdown(text: str) -> SafeString:
    """As a customer would see it; safe to show."""
    return mark_safe(render(text))  # noqa: S308 - sanitised there


register.filter(with_allowed_links)


@register.filter
def own_links(text: str) -> SafeString:
    """Plain text, everything escaped, in which addresses of our own pages are links."""
    marked = WEB_ADDRESS.sub(_link, escape(text))
    return mark_safe(marked)  # noqa: S308 - escaped above


def _link(found: re.Match[str]) -> str:
    url = unescape(found[0])
    return f'<a href="{escape(url)}" rel="{REL}">{found[0]}</a>' if link_allowed(url) else found[0]


@register.filter
def mentions(text: str) -> SafeString:
    """A note's words with its @names marked; everything escaped."""
    marked = MENTION.sub(lambda name: f"<b class='mention'>{name[0]}</b>", escape(text))
    return mark_safe(linebreaksbr(marked, autoescape=False))  # noqa: S308 - escaped above


@register.filter
def unmarked(text: str) -> str:
    """The plain words of what is written with Markdown, for one short line."""
    return " ".join(unescape(strip_tags(render(text[:1000]))).split())


@register.inclusion_tag("ops/thread/mentions.html")
def unread_mentions(user: User) -> dict[str, Any]:
    """The notes in which colleagues named this person and that they have not opened yet; one query."""
    return {"mentions": mentions_unread(user)}


@register.filter
def card_line(card: dict[str, Any]) -> str:
    """What a customer was shown under an answer, in one line: 'order AP-104233, shipped'."""
    told = [f"{card.get('kind', 'card')} {card.get('title') or card.get('id', '')}", words(card.get("status", ""))]
    return ", ".join(part for part in told if part)


@register.filter
def at(values: Sequence[Any], place: int) -> Any:
    """The value at a place of a list."""
    return values[place]
