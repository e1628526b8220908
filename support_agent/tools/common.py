"""What tools share: who they work for, how refusals are worded, how figures and times are written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import wraps
from typing import Annotated, Any, TypeVar

from django.utils import timezone
from pydantic import BeforeValidator, Field

from support_agent.agent.identifiers import formats
from support_agent.agent.toolkit import Arguments, Json, Status, ToolContext, ToolError, ToolResult
from tickets.backends.port import Unreachable
from tickets.errors import DeskError, NotEligible, NotFound
from tickets.models import Action, Conversation, Customer
from tickets.selectors.customers import customer_by_id
from tickets.services.actions import action_propose
from tickets.services.customers import InvalidValue

A = TypeVar("A", bound=Arguments)
Run = Callable[[ToolContext, A], ToolResult]

# Said before anything is looked up, so that words and time tell nothing about what exists.
NEEDS_VERIFICATION = (
    "The customer is not verified in this conversation, so nothing of any account or order can be looked up or "
    "changed. Ask for their e-mail address and call verify_identity, or ask them to sign in."
)


AWAY = "The system that keeps the records did not answer just now."


def _order_number(value: Any) -> Any:
    """'#ap 104233' and '104233' are AP-104233."""
    return formats().canonical(str(value)) if isinstance(value, str | int) else value


def _describe_order_number(schema: Json) -> None:
    known = formats()
    schema |= {"description": f"The order number, {known.hint}.", "maxLength": known.longest}


OrderNumber = Annotated[
    str,
    BeforeValidator(_order_number),
    Field(max_length=40, json_schema_extra=_describe_order_number),
]
Email = Annotated[str, Field(pattern=r"^[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+$", max_length=254)]


def guarded(run: Run[A]) -> Run[A]:
    """Turn the desk's refusals into results the model can read; bugs pass through."""

    @wraps(run)
    def answer(context: ToolContext, arguments: A) -> ToolResult:
        try:
            return run(context, arguments)
        except NotFound as error:
            return ToolResult(Status.NOT_FOUND, {"message": error.message})
        except InvalidValue as error:
            return invalid(value=error.message)
        except NotEligible as error:
            return refused(error.reason, error.message)
        except Unreachable as error:  # a failure, which the breaker counts, and no answer
            raise ToolError(AWAY, retryable=True) from error
        except DeskError as error:
            return refused(error.code, error.message)

    return answer


def for_customer(run: Callable[[ToolContext, A, Customer], ToolResult]) -> Run[A]:
    """A tool for the conversation's own verified customer: whoever else asks gets `needs_verification`."""

    @wraps(run)
    def with_customer(context: ToolContext, arguments: A) -> ToolResult:
        customer = customer_of(context)
        if customer is None:
            return ToolResult(Status.NEEDS_VERIFICATION, {"message": NEEDS_VERIFICATION})
        return run(context, arguments, customer)

    return guarded(with_customer)


def customer_of(context: ToolContext) -> Customer | None:
    """The conversation's own verified customer, as their record is now."""
    return customer_by_id(context.customer_id)


def conversation_of(context: ToolContext) -> Conversation:
    """The conversation the turn belongs to: its id comes from the runtime, never from an argument."""
    return Conversation.objects.select_related("customer").get(pk=context.conversation_id)


def success(**data: Any) -> ToolResult:
    return ToolResult(Status.SUCCESS, data)


def refused(reason: str, message: str) -> ToolResult:
    """Policy or state says no; asking again the same way will not help."""
    return ToolResult(Status.ERROR, {"retryable": False, "reason": reason, "message": message})


def invalid(**fields: str) -> ToolResult:
    return ToolResult(Status.INVALID_ARGUMENTS, {"fields": fields})


def propose(
    context: ToolContext,
    customer: Customer,
    *,
    tool: str,
    arguments: Json,
    summary: str,
    preview: Json,
    definition: str = "",
) -> ToolResult:
    """Offer the change for the customer's click and tell the model where it stands. `definition` is a digest of what
    the tool is now, where another system defines it."""
    action = action_propose(
        conversation=conversation_of(context),
        customer=customer,
        turn_id=context.turn_id,
        tool=tool,
        arguments=arguments,
        summary=summary,
        preview=preview,
        idempotency_key=context.idempotency_key,
        definition=definition,
    )
    data: Json = {"action_id": str(action.pk), "summary": action.summary, "preview": action.preview}
    if action.state == Action.State.PROPOSED:
        left = action.expires_at - timezone.now()
        return ToolResult(
            Status.PENDING_CONFIRMATION, {**data, "expires_in_minutes": max(round(left.total_seconds() / 60), 1)}
        )
    if action.state == Action.State.AWAITING_STAFF:
        return ToolResult(Status.AWAITING_STAFF, {**data, **action.receipt})
    return success(**data, state=str(action.state), receipt=action.receipt)


def money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def stamp(moment: datetime | date | None) -> str | None:
    """ISO 8601: a date as it is, a moment in UTC to the second."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return moment.isoformat() if moment else None
