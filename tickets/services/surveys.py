"""What customers think: one survey per conversation, one thumb per answer."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.errors import Conflict, NotFound
from tickets.events import event_append
from tickets.models import Conversation, Feedback, Message, Survey
from tickets.redaction import without_secrets
from tickets.services.conversations import lock
from tickets.services.resolutions import resolution_of_survey, resolution_of_thumb


@transaction.atomic
def survey_request(*, conversation: Conversation) -> Survey:
    """Ask once; asking again gives the same survey."""
    survey, is_new = Survey.objects.get_or_create(conversation=conversation)
    if is_new:
        event_append(conversation=conversation, type="survey", payload={"state": Survey.State.REQUESTED})
    return survey


@transaction.atomic
def survey_dismiss(*, conversation: Conversation) -> Survey:
    """Not now: it is taken away and not asked again. An answer given already stands."""
    lock(conversation.pk)
    survey, _ = Survey.objects.get_or_create(conversation=conversation)
    if survey.state == Survey.State.REQUESTED:
        survey.state = Survey.State.DISMISSED
        survey.save(update_fields=["state"])
        event_append(conversation=conversation, type="survey", payload={"state": Survey.State.DISMISSED})
    return survey


@transaction.atomic
def survey_answer(*, conversation: Conversation, rating: int, comment: str = "") -> Survey:
    """Keep the answer (1..5); the same one again changes nothing. Raises Conflict for another answer or rating."""
    if not 1 <= rating <= 5:
        raise Conflict(_("A rating is a number from 1 to 5."))
    lock(conversation.pk)
    survey, __ = Survey.objects.get_or_create(conversation=conversation)
    comment = without_secrets(comment.replace("\x00", "").strip()[:1000])[:1000]
    if survey.state == Survey.State.ANSWERED:
        if (survey.rating, survey.comment) != (rating, comment):
            raise Conflict(_("This conversation has been rated already. Thank you!"))
        return survey
    survey.state, survey.rating, survey.comment = Survey.State.ANSWERED, rating, comment
    survey.answered_at = timezone.now()
    survey.save(update_fields=["state", "rating", "comment", "answered_at"])
    resolution_of_survey(conversation=conversation, rating=rating)
    event_append(conversation=conversation, type="survey", payload={"state": Survey.State.ANSWERED})
    return survey


@transaction.atomic
def feedback_give(
    *, conversation: Conversation, message_id: UUID, helpful: bool, reason: str = "", cause: str = ""
) -> Feedback:
    """A thumb for an answer of this conversation; a later one replaces it. `cause` is one of Feedback.Cause, and only
    of a thumb down. Raises NotFound."""
    conversation = lock(conversation.pk)
    message = Message.objects.filter(
        pk=message_id, conversation=conversation, role__in=[Message.Role.ASSISTANT, Message.Role.STAFF]
    ).first()
    if message is None:
        raise NotFound(_("There is no such answer."))
    reason = without_secrets(reason.replace("\x00", "").strip()[:500])[:500]
    given = {"helpful": helpful, "reason": reason, "cause": "" if helpful else Feedback.Cause(cause)}
    feedback, __ = Feedback.objects.update_or_create(message=message, defaults=given)
    message.conversation = conversation
    resolution_of_thumb(message=message, helpful=helpful)
    return feedback
