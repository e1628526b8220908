"""The address of a bundle of scripts, for templates."""

from __future__ import annotations

from django import template

from support_agent import bundles

register = template.Library()


@register.simple_tag
def bundle(name: str) -> str:
    """`{% bundle "chat" %}`"""
    return bundles.address(name)
