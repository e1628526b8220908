"""Handing the conversation to a person."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from django.utils import timezone
from django.utils.translation import gettext_lazy
from pydantic import BeforeValidator, Field

from support_agent.agent.toolkit import Arguments, Category, Tool, ToolContext, ToolResult
from support_agent.agent.types import HandOverReason
from support_agent.tools.common import conversation_of, guarded, success
from tickets.hours import when
from tickets.languages import ENGLISH, speaking
from tickets.models import Escalation, EscalationReason
from tickets.selectors.escalations import queue_position
from tickets.services.escalations import escalation_open


def _reason(value: Any) -> Any:
    """A person is never refused over a word: what is not in the list counts as asked for, or as unsure."""
    text = str(value).strip().lower().replace(" ", "_")
    if text in EscalationReason.values and text != EscalationReason.PEOPLE_FIRST:
        return text
    return "asked" if any(word in text for word in ("ask", "person", "human", "want", "request")) else "unsure"


class EscalateToHuman(Arguments):
    reason: Annotated[str, BeforeValidator(_reason)] = Field(
        description="Why: asked (they want a person), money, legal, unsure, tool_failing, safety or unverified.",
        json_schema_extra={"enum": list(get_args(HandOverReason))},
    )
    summary: str = Field(
        description="For the person who takes over: what it is about, what was tried, what is open.",
        min_length=1,
        max_length=2000,
    )
    suggested_team: Literal["billing", "engineering", "account_management"] | None = Field(
        default=None, description="Leave out unless it is clear."
    )


@guarded
def escalate_to_human(context: ToolContext, arguments: EscalateToHuman) -> ToolResult:
    escalation = escalation_open(
        conversation=conversation_of(context),
        reason=arguments.reason,
        summary=arguments.summary,
        team=arguments.suggested_team or "",
    )
    has_person = escalation.status == Escalation.Status.CLAIMED
    return success(
        escalation={
            "team": escalation.team.name,
            "position": 0 if has_person else queue_position(escalation),
            "when": "now: a person is already here" if has_person else _when(),
        }
    )


def _when() -> str:
    """In English, as all that only the model reads."""
    with speaking(ENGLISH):
        return when(timezone.now())


TOOLS = [
    Tool(
        name="escalate_to_human",
        description=(
            "Hand the conversation to a person. Use when the customer asks for one (at once, no counter-question), "
            "for anything legal, about safety or beyond what the tools can do, or when you cannot help after trying. "
            "Do not use when a tool or an article can answer, when a fact is merely missing (ask for it), or again "
            "while a person is already awaited."
        ),
        arguments=EscalateToHuman,
        run=escalate_to_human,
        category=Category.ESCALATION,
        label=gettext_lazy("Finding a person for you …"),
    )
]
