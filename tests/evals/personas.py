"""A made-up case with a persona, and a scripted assistant for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support_agent.evals.cases import Case
from support_agent.evals.run import Result, run_case
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.replies import Json, Reply, calls, plans, says
from tests.runtime.conftest import client_of

Line = str | Callable[[Json], Reply]
PLAN: Json = {
    "goal": "Help.",
    "topic": "order",
    "subject": "orders",
    "in_scope": True,
    "complexity": "medium",
    "confidence": 0.9,
    "steps": [{"type": "take_action", "priority": "required", "description": "Help."}],
    "is_complete": False,
}
PERSONA: Json = {
    "goal": "Cancel {paid_order}.",
    "opening": "Would you kindly do something about an order of mine?",
    "facts": {"order": "{paid_order}"},
    "accepts": [{"tool": "cancel_order", "arguments": {"order_number": "{paid_order}"}}],
    "satisfied": {"end": {"paid_order.status": "cancelled"}},
}
CANCELLED: Json = {
    "actions": ["cancel_order done"],
    "paid_order.status": "cancelled",
    "paid_order.refunded_total": "129.00",
    "refunds": 1,
}


def case(persona: Json | None = None, **more: Any) -> Case:
    """Cancels `paid_order` unless `persona` says otherwise; `end` and the rest of the expectation by name."""
    expect = {"outcome": more.pop("outcome", "resolved"), "end": more.pop("end", {}), **more.pop("expect", {})}
    written = {
        "id": "made-up",
        "suite": "made-up",
        "customer": "owner",
        "records": ["paid_order", "pending_order"],
        "persona": PERSONA | (persona or {}),
        "expect": expect,
        "max_steps": 60,
    }
    return Case.model_validate(written | more)


def assistant(*lines: Line) -> FakeMessagesAPI:
    """Plans whenever a plan is asked for, and says its lines in order, the last one for ever."""
    left = list(lines)

    def respond(body: Json) -> Reply:
        if "output_config" in body:
            return plans(PLAN)
        line = left.pop(0) if len(left) > 1 else left[0]
        return says(line) if isinstance(line, str) else line(body)

    return FakeMessagesAPI(respond)


def cancels(place: int) -> Callable[[Json], Reply]:
    """Offers to cancel the order that was named at that place of the conversation, -1 being the newest."""

    def respond(body: Json) -> Reply:
        number = str(body["messages"]).split("AP-")[place][:6]
        return calls("cancel_order", {"order_number": f"AP-{number}", "reason": "so it was said"})

    return respond


async def played(of: Case, api: FakeMessagesAPI, *, player: FakeMessagesAPI | None = None, number: int = 0) -> Result:
    """The case with that assistant behind the real client, and perhaps a model behind the customer."""
    model = client_of(api)
    speaker = client_of(player) if player else None
    try:
        return await run_case(of, model, is_demo=False, number=number, player=speaker)
    finally:
        await model.aclose()
        if speaker is not None:
            await speaker.aclose()


def spoken(result: Result, who: str = "customer") -> list[str]:
    return [one["text"] for one in result.thread if one["who"] == who]
