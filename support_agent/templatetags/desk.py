"""How the desk's pages write figures, spans of time and JSON."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone

register = template.Library()


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
def share(part: float | None) -> str:
    """0.123 is 12.3%; nothing to share is a dash."""
    return "–" if part is None else f"{part:.1%}"


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
