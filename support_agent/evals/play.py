"""Playing a case: each message through the same door as a customer's, each turn as the same attempt as the runner's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import F
from django.utils import timezone

from support_agent.agent.types import ModelPort
from support_agent.evals.cases import Case
from support_agent.evals.changes import pass_time
from support_agent.evals.faults import breakers, faulty
from support_agent.evals.pictures import drawn
from support_agent.evals.steps import Step
from support_agent.evals.world import World
from support_agent.models import Turn
from support_agent.runtime.attempt import Attempt
from support_agent.runtime.submit import request_human, submit_message
from support_agent.tools.own import builtin
from tickets.access import Visitor
from tickets.db import in_db
from tickets.errors import DeskError
from tickets.models import Action, Conversation
from tickets.services.actions import action_decide, action_undo, token_of
from tickets.services.attachments import attachment_add
from tickets.services.conversations import conversation_identify

OWNER = "evals"
LEASE = timedelta(minutes=10)
Answer = Callable[[Turn], Awaitable[None]]


async def play(case: Case, world: World, model: ModelPort) -> str:
    """Do the steps in turn; the code of the refusal when the desk does not take one and the case does not expect that
    there, which ends the case."""
    answer = answering(case, model)
    for number, step in enumerate(case.steps, start=1):
        try:
            turn = await in_db(_step, world, step)
        except DeskError as error:
            if not step.refused:
                return error.code
            if error.code != step.refused:
                world.surprises.append(f"step {number}: expected the desk to say {step.refused}, it said {error.code}")
            continue
        if step.refused:
            world.surprises.append(f"step {number}: expected the desk to refuse it ({step.refused}), it was taken")
        if turn is not None:
            await answer(turn)
    return ""


def answering(case: Case, model: ModelPort) -> Answer:
    """What gives a queued turn its attempt, with the case's faults at its tools from the first to the last turn."""
    tools, own = faulty(builtin(), case.faults), breakers(case.faults)

    async def answer(turn: Turn) -> None:
        await Attempt(await in_db(_claim, turn), model, tools=tools, breakers=own).run()

    return answer


def _step(world: World, step: Step) -> Turn | None:
    """One thing that happens; the turn that it starts, if any. Raises DeskError."""
    conversation = Conversation.objects.select_related("customer").get(pk=world.conversation.pk)
    if step.click:
        _click(conversation, step)
    elif step.sign_in:
        conversation_identify(conversation=conversation, customer=world.customer, identity=Conversation.Identity.CODE)
    elif step.change:
        world.change({name: world.fill(what) for name, what in step.change.items()})
    elif step.human:
        request_human(conversation=conversation)
    elif step.wait is not None:
        pass_time(conversation.pk, world.orders, step.wait)
    else:
        return _post(world, conversation, step)
    return None


def _post(world: World, conversation: Conversation, step: Step) -> Turn | None:
    """A message as the composer sends it: what is attached is uploaded first."""
    files: list[UUID] = []
    if step.image is not None:
        content = drawn(step.image, world.fill(step.image.shows))
        files.append(attachment_add(conversation=conversation, name=step.image.name, content=content).pk)
    return _submit(conversation, world.fill(step.say or "") * step.times, files)


def posted(world: World, text: str) -> Turn | None:
    """Write a message as the customer; the turn that it starts, if any. Raises DeskError."""
    return _submit(Conversation.objects.select_related("customer").get(pk=world.conversation.pk), text, [])


def _submit(conversation: Conversation, text: str, files: list[UUID]) -> Turn | None:
    return submit_message(
        conversation=conversation, visitor=Visitor(), client_message_id=uuid4(), text=text, attachments=files
    ).turn


def _click(conversation: Conversation, step: Step) -> None:
    """On the newest offer, or the newest of a tool; where there is none the grading of `actions` says so."""
    offers = Action.objects.filter(conversation=conversation)
    action = (offers.filter(tool=step.of) if step.of else offers).first()
    if action is None:
        return
    if step.click == "undo":
        action_undo(conversation=conversation, action_id=action.pk)
    else:
        action_decide(
            conversation=conversation,
            action_id=action.pk,
            token=token_of(action),
            approve=step.click == "confirm",
        )


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
