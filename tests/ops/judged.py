"""Ended turns with what was said, drawn and judged: what axes and spot checks are tested with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from support_agent.models import SpotCheck, SpotLabel, Step, Turn
from tests.cast import Cast
from tickets.models import Conversation, Customer, Escalation, Feedback, Message, Team, User
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_assistant, message_post

YESTERDAY = timedelta(days=1)
SAID = "Is my tent paid for?"
ANSWER = "Your tent is paid; it leaves us within two days [1]."


def ended(
    customer: Customer | None, *, at: datetime | None = None, said: str = SAID, answer: str = ANSWER, **values: Any
) -> Turn:
    """A turn with its question and answer, as they were said `at` (yesterday at noon)."""
    at = at or (timezone.now() - YESTERDAY).replace(hour=12, minute=0)
    conversation, _ = conversation_create(
        channel="chat", customer=customer, identity="session" if customer else "", with_token=True
    )
    defaults = {"surface": "signed_in", "state": "answered", "path": "planned", "confidence": 0.9}
    turn = Turn.objects.create(
        conversation=conversation, created_at=at, finished_at=at + timedelta(seconds=4), **defaults | values
    )
    message_post(conversation=conversation, client_message_id=uuid4(), text=said, turn_id=turn.pk)
    if answer:
        source = {"n": 1, "title": "When orders leave", "url": "/help/when-orders-leave/"}
        message_assistant(conversation=conversation, text=answer, turn_id=turn.pk, sources=[source])
    Message.objects.filter(turn_id=turn.pk).update(created_at=at)
    Conversation.objects.filter(pk=conversation.pk).update(created_at=at, verified_at=at if customer else None)
    return turn


def planned(turn: Turn, subject: str) -> None:
    Step.objects.create(turn=turn, index=0, kind="plan", output={"subject": subject, "topic": "paying"})


def handed_over(turn: Turn, reason: str = "unsure") -> Turn:
    """As the runner ends it: with an escalation of the same moment, over by now."""
    at = turn.finished_at or turn.created_at
    Turn.objects.filter(pk=turn.pk).update(state="escalated")
    Escalation.objects.create(
        conversation=turn.conversation, reason=reason, team=Team.objects.all()[0], due_at=at, created_at=at,
        status="closed", ended_at=at,
    )  # fmt: skip
    return turn


def disliked(turn: Turn) -> None:
    Feedback.objects.create(message=Message.objects.get(turn_id=turn.pk, role="assistant"), helpful=False)


def judged(
    turn: Turn, by: User, *, needs: bool = False, accuracy: str = "accurate", chance: float = 1.0,
    drawn: str = "random", other: tuple[User, bool, str] | None = None,
) -> SpotCheck:  # fmt: skip
    """A closed check with its label, or with that of another too."""
    check = SpotCheck.objects.create(
        turn=turn, drawn=drawn, chance=chance, wanted=2 if other else 1, closed_at=timezone.now(),
        created_at=turn.created_at + timedelta(hours=14),
    )  # fmt: skip
    SpotLabel.objects.create(spot_check=check, staff=by, needs_person=needs, accuracy=accuracy)
    if other:
        SpotLabel.objects.create(spot_check=check, staff=other[0], needs_person=other[1], accuracy=other[2])
    return check


def many(cast: Cast, number: int, **values: Any) -> list[Turn]:
    return [ended(cast.owner, **values) for _ in range(number)]
