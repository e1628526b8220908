"""Tools beside the product's own: which of them a turn is offered, and which of the seven make room. Pure.

The planner is told their names and purposes and names those that the message needs. At most three are offered, in
the planner's order; search, tickets and escalation always stay. Without any, nothing of a turn differs.
"""

from __future__ import annotations

from collections.abc import Sequence

from support_agent.agent.toolkit import Extra
from support_agent.agent.types import Json, TurnInput

MOST_OFFERED, MOST_TOOLS, MOST_TOLD = 3, 7, 40
# Which of the product's tools give way, the first first; what a toolset is for comes last, and what is not named stays.
# Who is verified already needs no verifying.
GIVE_WAY = (
    "track_shipment",
    "report_delivery_problem",
    "lookup_customer",
    "cancel_order",
    "request_return",
    "lookup_order",
)
WHEN_VERIFIED = ("verify_identity", *GIVE_WAY)


def plannable(turn: TurnInput) -> list[Extra]:
    """What the planner may name for this customer now, forty at most."""
    return [
        extra
        for extra in turn.extras
        if (turn.verified or extra.unverified) and (turn.mutations_allowed or not extra.acts)
    ][:MOST_TOLD]


def told(offered: Sequence[Extra]) -> str:
    """The planner's lines on them; '' without any. Every word of it was written or allowed by staff."""
    if not offered:
        return ""
    lines = "\n".join(f"- {extra.name}{' (an action)' if extra.acts else ''}: {extra.purpose}" for extra in offered)
    return f"further tools; name in `tools` only those that this message needs, at most {MOST_OFFERED}:\n{lines}"


def with_tools(schema: Json, offered: Sequence[Extra]) -> Json:
    """The plan's schema with a list of their names; the very same object without any."""
    if not offered:
        return schema
    names: Json = {"type": "array", "items": {"type": "string", "enum": [extra.name for extra in offered]}}
    return {**schema, "properties": {**schema["properties"], "tools": names}}


def fitted(
    tools: Sequence[str], subject: str, turn: TurnInput, wanted: Sequence[str], *, acting: bool, keep: str = ""
) -> tuple[str, ...]:
    """`tools` with the wanted extras behind them, seven at most; `keep` does not give way."""
    known = {extra.name: extra for extra in plannable(turn)}
    chosen = [
        name
        for name in dict.fromkeys(wanted)
        if (extra := known.get(name)) is not None
        and (acting or not extra.acts)
        and (not extra.subjects or subject in extra.subjects)
    ][:MOST_OFFERED]
    kept = list(tools)
    for name in WHEN_VERIFIED if turn.verified else GIVE_WAY:
        if len(kept) + len(chosen) <= MOST_TOOLS:
            break
        if name in kept and name != keep:
            kept.remove(name)
    return (*kept, *chosen[: MOST_TOOLS - len(kept)])
