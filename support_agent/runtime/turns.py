"""A turn's life in the database once it runs: shown, checkpointed, finished. Every write is fenced on its attempt.

All functions are synchronous and short; the runner calls them by `in_db`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from support_agent.agent.critic import cited
from support_agent.agent.errors import TurnLost
from support_agent.agent.types import EscalationWish, Outcome, Spend, StepKind, StepRecord, TurnState
from support_agent.agent.words import FAILED
from support_agent.models import Step, Task, Turn
from support_agent.runtime import signals
from support_agent.runtime.budgets import settle_totals
from support_agent.runtime.cards import cards_of
from support_agent.runtime.checkpoints import write_checkpoint
from support_agent.runtime.commitments import promise_said
from support_agent.runtime.drafts import FAILED as NOT_DRAFTED
from support_agent.runtime.drafts import draft_ended
from support_agent.runtime.jobs import keep_article_draft
from support_agent.runtime.memories import remember
from support_agent.runtime.steps import DIED, insert_steps
from tickets.events import event_append
from tickets.ids import new_id
from tickets.models import Conversation, EscalationReason
from tickets.queue import enqueue
from tickets.services.conversations import lock
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_assistant, message_system
from tickets.sql import prepared

_BEGIN = """
UPDATE support_agent_turn SET message_id = %(message)s, first_text_at = %(at)s
WHERE id = %(turn)s AND attempt = %(attempt)s AND state = 'running' RETURNING id
"""
_END = """
UPDATE support_agent_turn SET state = %(state)s, finished_at = %(now)s, checkpoint = NULL, lease_until = NULL,
  error = ''
WHERE id = %(turn)s AND attempt = %(attempt)s AND state = 'running' RETURNING id
"""
SPEAKING = {Conversation.Status.AI, Conversation.Status.WAITING}


def begin_message(turn: Turn) -> UUID:
    """A new id for the text about to be shown; kept, so that whoever takes over can withdraw it. Raises TurnLost."""
    message_id = new_id()
    turn.first_text_at = turn.first_text_at or timezone.now()
    begins = {"turn": turn.pk, "attempt": turn.attempt, "message": message_id, "at": turn.first_text_at}
    if not prepared(_BEGIN, begins):
        raise TurnLost
    turn.message_id = message_id
    return message_id


def checkpoint(turn: Turn, records: Sequence[StepRecord], state: TurnState) -> None:
    """Steps, totals, the engine's state and what the call had reserved in one transaction: dying, a call is charged
    once. Raises TurnLost, with the steps' cost kept (I6)."""
    spend = sum((record.spend for record in records), start=Spend())
    turn.topic = (state.plan or {}).get("topic", "")  # the conversation takes it over at the turn's end
    written_down = [one for one in records if one.kind == StepKind.COMPRESS and one.status == "ok"]
    with transaction.atomic() if written_down else nullcontext():
        is_held, is_settled = write_checkpoint(turn, records, state, spend)
        for record in written_down if is_held else ():
            remember(turn.conversation_id, record.output)
    if is_settled:
        turn.reservation = None
    if not (is_held or is_settled):
        _charge_late(turn, records, spend)
    if not is_held:
        raise TurnLost


@transaction.atomic
def _charge_late(turn: Turn, records: Sequence[StepRecord], spend: Spend) -> None:
    """The steps of a call that was given up for lost and has come back: its cost takes the place of the estimate."""
    usage = spend.usage
    marked = {"cost_estimated": True} if spend.estimated else {}
    Turn.objects.filter(pk=turn.pk).update(
        step_count=F("step_count") + len(records),
        input_tokens=F("input_tokens") + usage.input_tokens,
        output_tokens=F("output_tokens") + usage.output_tokens,
        cache_read_tokens=F("cache_read_tokens") + usage.cache_read_tokens,
        cache_write_tokens=F("cache_write_tokens") + usage.cache_write_tokens,
        cost_usd=F("cost_usd") + spend.cost_usd,
        **marked,
    )
    _withdraw_estimate(turn, spend.cost_usd)
    insert_steps(turn, records)


def is_written(turn: Turn, records: Sequence[StepRecord]) -> bool:
    """Whether a checkpoint that ended without an answer was committed all the same."""
    ours = Step.objects.filter(turn=turn, attempt=turn.attempt, index=records[0].index)
    return ours.exclude(error=DIED).exists()  # the estimate of a call given up for lost may have taken the index


def _withdraw_estimate(turn: Turn, cost_usd: Decimal) -> None:
    """The call that was given up for lost has come back: what it cost takes the place of what it had reserved."""
    estimate = Step.objects.filter(turn=turn, attempt=turn.attempt, kind=StepKind.ERROR.value, error=DIED).first()
    if estimate is None or turn.reservation is None:
        return
    estimate.delete()
    settle_totals(turn.reservation["rows"], Decimal(0), cost_usd - estimate.cost_usd)
    Turn.objects.filter(pk=turn.pk).update(cost_usd=F("cost_usd") - estimate.cost_usd, step_count=F("step_count") - 1)


def finish(turn: Turn, outcome: Outcome, *, shown: str = "") -> None:
    """The final commit: message, escalation, turn state and its event together. Raises TurnLost.

    `shown` is what the customer has seen of a stopped turn, whose outcome has no text of its own.
    """
    text = outcome.text or shown
    sources = cited(text, outcome.sources) if text else []
    cards = cards_of(turn=turn, text=text, sources=sources) if text else []
    with transaction.atomic():
        conversation = lock(turn.conversation_id)
        ends = {"turn": turn.pk, "attempt": turn.attempt, "state": outcome.state, "now": timezone.now()}
        if not prepared(_END, ends) or conversation.status not in SPEAKING:
            raise TurnLost
        if text:
            message_assistant(
                conversation=conversation,
                text=text,
                turn_id=turn.pk,
                message_id=turn.message_id,
                sources=sources,
                cards=cards,
            )
            # Neither a draft nor what a stopped turn left half said promises anything.
            if outcome.text and conversation.channel != Conversation.Channel.TASK:
                promise_said(conversation=conversation, text=text, now=timezone.now())
        if outcome.escalation is not None:
            _escalate(conversation, outcome.escalation)
        if conversation.channel == Conversation.Channel.TASK:
            _end_task(turn, outcome, text)
        _close_turn(turn, conversation, outcome.state)


def fail(turn: Turn, error: str) -> None:
    """End visibly: a system message that names the next step, and a person. Raises TurnLost."""
    with transaction.atomic():
        conversation = lock(turn.conversation_id)
        changed = _ours(turn).update(
            state=Turn.State.FAILED,
            finished_at=timezone.now(),
            checkpoint=None,
            lease_until=None,
            error=error[:300],
        )
        if not changed:
            raise TurnLost
        message_system(conversation=conversation, text=gettext_lazy(FAILED), turn_id=turn.pk)
        Task.objects.filter(turn=turn).update(state=Task.State.FAILED)
        draft_ended(turn, NOT_DRAFTED)
        _close_turn(turn, conversation, Turn.State.FAILED)


def _end_task(turn: Turn, outcome: Outcome, text: str) -> None:
    """Done with its answer, or stopped: then the words meant for a customer say nothing to whoever asked."""
    if outcome.state == "answered":
        state, result, why = Task.State.DONE, text, ""
    else:
        why = outcome.escalation.reason if outcome.escalation else EscalationReason.UNSURE
        state, result = Task.State.STOPPED, f"Stopped before it was done: {EscalationReason(why).label.lower()}."
    Task.objects.filter(turn=turn).update(state=state, result=result)
    draft_ended(turn, "" if state == Task.State.DONE else str(why))
    article = Task.objects.filter(turn=turn, state=Task.State.DONE, purpose=Task.Purpose.ARTICLE).first()
    if article is not None:
        enqueue(keep_article_draft, str(article.pk))


def _close_turn(turn: Turn, conversation: Conversation, state: str) -> None:
    event_append(conversation=conversation, type="turn", payload={"turn_id": str(turn.pk), "state": state})
    if turn.topic and not conversation.topic:
        Conversation.objects.filter(pk=conversation.pk).update(topic=turn.topic)
    signals.wake_behind(conversation.pk)


def _escalate(conversation: Conversation, wish: EscalationWish) -> None:
    if conversation.channel != Conversation.Channel.TASK:  # nobody waits for a background task
        escalation_open(conversation=conversation, reason=wish.reason, summary=wish.summary, team=wish.team)


def _ours(turn: Turn) -> QuerySet[Turn]:
    return Turn.objects.filter(pk=turn.pk, attempt=turn.attempt, state=Turn.State.RUNNING)
