"""Playing a case: each message through the same door as a customer's, each turn as the same attempt as the runner's."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db.models import F
from django.utils import timezone

from support_agent.agent.types import ModelPort
from support_agent.evals.cases import Case, Step
from support_agent.evals.world import World
from support_agent.models import Turn
from support_agent.runtime.attempt import Attempt
from support_agent.runtime.submit import request_human, submit_message
from tickets.access import Visitor
from tickets.db import in_db
from tickets.errors import DeskError
from tickets.models import Action, Conversation
from tickets.services.actions import action_decide, action_undo, token_of
from tickets.services.conversations import conversation_identify

OWNER = "evals"
LEASE = timedelta(minutes=10)


async def play(case: Case, world: World, model: ModelPort) -> str:
    """Do the steps in turn; the code of the refusal when the desk does not take a message, which ends the case."""
    for step in case.steps:
        try:
            turn = await in_db(_step, world, step)
        except DeskError as error:
            return error.code
        await answered(turn, model)
    return ""


async def answered(turn: Turn | None, model: ModelPort) -> None:
    """Run the turn that something started, if it did."""
    if turn is not None:
        await Attempt(await in_db(_claim, turn), model).run()


def posted(world: World, text: str) -> Turn | None:
    """Write a message as the customer; the turn that it starts, if any. Raises DeskError."""
    conversation = Conversation.objects.select_related("customer").get(pk=world.conversation.pk)
    return submit_message(conversation=conversation, visitor=Visitor(), client_message_id=uuid4(), text=text).turn


def _step(world: World, step: Step) -> Turn | None:
    """One thing the customer does; the turn that it starts, if any. Raises DeskError."""
    if step.say is not None:
        return posted(world, world.fill(step.say) * step.times)
    conversation = Conversation.objects.select_related("customer").get(pk=world.conversation.pk)
    if step.sign_in:
        conversation_identify(conversation=conversation, customer=world.customer, identity=Conversation.Identity.CODE)
        return None
    if step.human:
        request_human(conversation=conversation)
        return None
    action = Action.objects.filter(conversation=conversation).first()
    if action is None:  # nothing to click: the grading of `actions` says so
        return None
    if step.click == "undo":
        action_undo(conversation=conversation, action_id=action.pk)
    else:
        action_decide(
            conversation=conversation,
            action_id=action.pk,
            token=token_of(action),
            approve=step.click == "confirm",
        )
    return None


def _claim(turn: Turn) -> Turn:
    """Take this one turn: a runner takes whatever waits, here every case has its own hands."""
    Turn.objects.filter(pk=turn.pk, state=Turn.State.QUEUED).update(
        state=Turn.State.RUNNING,
        owner=OWNER,
        attempt=F("attempt") + 1,
        lease_until=timezone.now() + LEASE,
        started_at=timezone.now(),
    )
    return Turn.objects.select_related("conversation__customer").get(pk=turn.pk)
