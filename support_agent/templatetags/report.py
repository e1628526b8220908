"""How the report writes its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from support_agent.ops import report

register = template.Library()
register.filter("duration", report.duration)


@register.filter
def percent(part: float | None) -> str:
    """0.934 is 93%; nothing is a dash."""
    return report.NONE if part is None else f"{part:.0%}"


@register.filter
def stars(value: float | None) -> str:
    """4.3, of five."""
    return report.NONE if value is None else f"{value:.1f}"


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    return mapping.get(key)
