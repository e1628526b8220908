"""The agent as a background service, for staff's own programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ninja import Router, Status
from ninja.errors import ValidationError

from support_agent.chat.api.auth import STAFF, StaffRequest
from support_agent.chat.api.problems import refusals
from support_agent.chat.api.schemas import TaskCreated, TaskIn, TaskOut
from support_agent.runtime.ratelimit import allow
from support_agent.runtime.tasks import task_create, task_payload
from tickets.models import Customer
from tickets.selectors.customers import customer_by_email, customer_by_id

Json = dict[str, Any]
router = Router(tags=["Tasks"], auth=STAFF)


@router.post("", response={202: TaskCreated}, summary="Give the agent a task", openapi_extra=refusals(401))
def create(request: StaffRequest, data: TaskIn) -> Status[Any]:
    """It runs in the background with the read tools only, and never spends more than `budget_usd`."""
    allow("task", str(request.auth.pk))
    task = task_create(
        requested_by=request.auth.user,
        task=data.task,
        complexity=data.complexity,
        budget_usd=data.budget_usd,
        customer=_customer(data.customer),
    )
    return Status(202, {"id": task.pk})


@router.get(
    "/{uuid:task_id}",
    response=TaskOut,
    exclude_unset=True,
    summary="How a task stands",
    openapi_extra=refusals(401, 404),
)
def show(request: StaffRequest, task_id: UUID) -> Json:
    """`stopped`: its budget was spent, or it could not be done without a person. For whoever asked for it."""
    return task_payload(task_id, request.auth.user)


def _customer(key: str | None) -> Customer | None:
    if key is None:
        return None
    try:
        found = customer_by_id(UUID(key))
    except ValueError:
        found = customer_by_email(key.replace("\x00", ""))
    if found is None:
        raise ValidationError([{"loc": ("body", "data", "customer"), "msg": "there is no such customer"}])
    return found
