"""The shop's own tools: when a bike fitting is possible, and booking one by the customer's click.

    AGENT_TOOLS=examples.bikeshop.tools

Both ask the shop's system, so they are `outside`: no database connection waits for it. Booking only proposes; the click
has `FittingPerformer` do it, once, under a key, and find out what became of it when the answer was lost.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from django.utils import timezone
from pydantic import Field

from examples.bikeshop.backend import bikeshop
from examples.bikeshop.stores import spoken, store_of
from support_agent.agent.toolkit import Arguments, Category, Tool, ToolContext, ToolResult
from support_agent.tools.common import for_customer, guarded, propose, refused, success
from tickets.backends import who_of
from tickets.backends.port import By, Outcome
from tickets.models import Action, Customer
from tickets.services.effects import Performer
from tickets.services.executors import Receipt

SHOWN, UNDO = 9, timedelta(hours=1)


class FindFittingTimes(Arguments):
    store: Literal["oslo", "bergen"] = Field(description="The store the customer can come to.")


class BookBikeFitting(Arguments):
    time: str = Field(
        description="One of the times of find_fitting_times, as it is named there.",
        pattern=r"^(oslo|bergen)-\d{4}-\d{2}-\d{2}-\d{2}$",
    )


@guarded
def find_fitting_times(context: ToolContext, arguments: FindFittingTimes) -> ToolResult:
    free = bikeshop().fitting_times(arguments.store)[:SHOWN]
    return success(
        store=_name(arguments.store),
        minutes=60,
        free=[{"time": fitting.time, "starts": spoken(fitting.starts_at)} for fitting in free],
    )


@for_customer
def book_bike_fitting(context: ToolContext, arguments: BookBikeFitting, customer: Customer) -> ToolResult:
    store = arguments.time.partition("-")[0]
    free = {fitting.time: fitting for fitting in bikeshop().fitting_times(store)}
    if arguments.time not in free:
        return refused("taken", "That time is not free. find_fitting_times lists the ones that are.")
    starts = spoken(free[arguments.time].starts_at)
    return propose(
        context,
        customer,
        tool="book_bike_fitting",
        arguments={"time": arguments.time},
        summary=f"Book a bike fitting on {starts}, at {_name(store)}",
        preview={"store": _name(store), "starts": starts, "minutes": 60},
    )


class FittingPerformer:
    """Books what a customer confirmed, and takes it back."""

    def perform(self, action: Action, *, key: str, approved_by: str) -> Receipt:
        by = By(key=key, action_id=str(action.pk), approved_by=approved_by)
        booked = bikeshop().book_fitting(who_of(action.customer), time=action.arguments["time"], by=by)
        starts = spoken(booked.starts_at)
        receipt = {"starts": starts, "message": f"Your fitting is booked: {starts}, {_name(booked.store)}."}
        return Receipt(receipt, timezone.now() + UNDO, {"time": booked.time})

    def undo(self, action: Action, *, key: str) -> None:
        by = By(key=key, action_id=str(action.pk))
        bikeshop().cancel_fitting(who_of(action.customer), time=action.arguments["time"], by=by)

    def outcome(self, action: Action, *, key: str) -> Outcome:
        return bikeshop().outcome(key)


def _name(key: str) -> str:
    store = store_of(key)
    return store.name if store else key


TOOLS = [
    Tool(
        name="find_fitting_times",
        description=(
            "List the free times for a bike fitting, where somebody sets a bike to its rider in an hour. Use when a "
            "customer asks for a fitting, or that their bike does not fit them. Not for repairs or opening hours."
        ),
        arguments=FindFittingTimes,
        run=find_fitting_times,
        category=Category.LOOKUP,
        label="Looking for free times …",
        outside=True,
        purpose="free times for a bike fitting",
        unverified=True,
    ),
    Tool(
        name="book_bike_fitting",
        description=(
            "Offer to book a bike fitting at a time that find_fitting_times listed; the customer confirms it with a "
            "click. Use once they have chosen a time. Do not use before they did."
        ),
        arguments=BookBikeFitting,
        run=book_bike_fitting,
        category=Category.MUTATION,
        label="Preparing your booking …",
        outside=True,
        purpose="book a bike fitting",
    ),
]
PERFORMERS: dict[str, Performer] = {"book_bike_fitting": FittingPerformer()}
