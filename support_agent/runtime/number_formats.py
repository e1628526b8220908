"""How this company's numbers look, from the workspace, in the engine's words."""

from __future__ import annotations

from functools import cache, partial

from support_agent.agent.identifiers import DEMO, Formats
from tickets.masks import canonical, masks, numbers_in
from tickets.workspace import DEFAULT, workspace


def company_formats() -> Formats:
    """From memory: the workspace is kept there."""
    current = workspace()
    return _formats(current.order_number_format, current.other_number_formats)


@cache
def _formats(orders: str, others: str) -> Formats:
    if orders == DEFAULT.order_number_format and not others:
        return DEMO
    known, further = masks(orders), masks(others)
    hint = " or ".join(f"{mask.words}, for example {mask.example}" for mask in known)
    return Formats(partial(numbers_in, known), partial(numbers_in, further), partial(canonical, known), hint)
