"""Drafts of a careful start: what the assistant would have answered, for staff alone, and what became of it.

A draft is a background task about the conversation (runtime/assists.py shows it), run by the engine as the customer's
own turn would be, but with tools that only read. It counts towards the customer's limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from support_agent.agent.types import StepKind, Surface
from support_agent.models import Draft, Step, Task, Turn
from support_agent.runtime.assists import Assist, assist_of, assists_shown
from support_agent.runtime.controls import controls
from support_agent.runtime.endings import LIVE_TASKS, end_turns
from support_agent.runtime.likeness import likeness
from support_agent.runtime.memories import as_written
from support_agent.runtime.tasks import MAX_TASK, start_task
from tickets.errors import Conflict
from tickets.languages import language_of
from tickets.models import Conversation, EscalationReason, Message, User
from tickets.publishing import publish_inbox
from tickets.selectors.conversations import spoken
from tickets.services.audit import audit
from tickets.services.conversations import lock

FAILED = "failed"
MAX_ASKED = 20  # messages in a row
DISCARDED = "draft.discard"
Outcome = Draft.Outcome


@dataclass(frozen=True, slots=True)
class Shown:
    """A draft as the thread shows it; `no_draft` completes the sentence 'No draft, because …'.

    `is_outdated`: the customer wrote on, and no new one was begun; `is_renewed`: it replaces one they overtook.
    """

    draft: Draft
    assist: Assist
    is_outdated: bool
    is_renewed: bool

    @property
    def no_draft(self) -> str:
        if self.draft.outcome == Outcome.NONE:
            return because(self.draft.no_draft)
        return "" if self.assist.is_live or self.assist.task.state == Task.State.DONE else because(FAILED)


@transaction.atomic
def draft_begin(*, conversation: Conversation, surface: Surface, upto_seq: int) -> Draft:
    """Draft an answer to what the customer wrote up to `upto_seq`; the caller holds the conversation's lock.

    What was being drafted before is overtaken.
    """
    _overtake(_open(conversation))
    task = Task.objects.create(
        purpose=Task.Purpose.ANSWER,
        about=conversation,
        customer=conversation.customer,
        task=_asked(conversation, upto_seq),
        budget_usd=controls().limits[surface].turn,
    )
    language = language_of(conversation.locale)
    draft = Draft.objects.create(task=task, surface=surface, language=language, upto_seq=upto_seq)
    start_task(str(task.pk))
    publish_inbox(conversation.pk, "draft")
    return draft


def draft_ended(turn: Turn, reason: str = "") -> None:
    """Its turn is over, in the same transaction; `reason` says why there is no draft, when there is none."""
    draft = Draft.objects.select_related("task").filter(task__turn=turn).first()
    if draft is None:
        return
    steps = Step.objects.filter(turn=turn)
    wrote = steps.filter(kind=StepKind.MODEL_CALL.value).exclude(model="").order_by("-attempt", "-index")
    plan = steps.filter(kind=StepKind.PLAN.value).order_by("attempt", "index").values_list("output", flat=True).first()
    draft.model = wrote.values_list("model", flat=True).first() or ""
    draft.subject = str((plan or {}).get("subject", ""))[:12]
    if reason and draft.outcome == Outcome.OPEN:
        draft.outcome, draft.no_draft, draft.settled_at = Outcome.NONE, reason, timezone.now()
    draft.save(update_fields=["model", "subject", "outcome", "no_draft", "settled_at"])
    if draft.task.about_id is not None:
        publish_inbox(draft.task.about_id, "draft")


@transaction.atomic
def drafts_replied(*, conversation: Conversation, message: Message, task_id: UUID | None = None) -> None:
    """Staff answered, from the draft of `task_id` or in words of their own: what becomes of the drafts up to here."""
    begun = Q(task__about=conversation, upto_seq__lt=message.seq)
    usable = Draft.objects.filter(begun, outcome__in=[Outcome.OPEN, Outcome.OVERTAKEN])
    used = usable.filter(task_id=task_id).first() if task_id else None
    rest = _open(conversation).filter(begun)
    if used is not None:
        shown = assists_shown([used.task])[0].text
        _settle(used, None, shown, message)
        rest = rest.exclude(pk=used.pk)
    else:
        for draft in rest.filter(task__state=Task.State.DONE):
            _settle(draft, Outcome.IGNORED, assists_shown([draft.task])[0].text, message)
    _overtake(rest.all())


@transaction.atomic
def draft_discard(*, conversation: Conversation, staff: User, task_id: UUID, why: str) -> Draft:
    """Raises NotFound for one of another conversation, Conflict without a reason; done twice it changes nothing."""
    if why not in Draft.Why.values:
        raise Conflict("Say why the draft is discarded.")
    lock(conversation.pk)
    draft = Draft.objects.select_for_update().get(task=assist_of(conversation, task_id, Task.Purpose.ANSWER).task)
    if draft.outcome in (Outcome.OPEN, Outcome.NONE) and not draft.why:
        if draft.outcome == Outcome.OPEN:
            draft.outcome, draft.settled_at = Outcome.DISCARDED, timezone.now()
        draft.why, draft.settled_by = why, staff
        draft.save(update_fields=["outcome", "why", "settled_at", "settled_by"])
        audit(actor=staff, action=DISCARDED, obj=draft, changes={"why": (None, why)})
        publish_inbox(conversation.pk, "draft")
    return draft


def drafts_close(conversation: Conversation, why: str) -> None:
    """The conversation was closed: what nobody used is overtaken. The caller holds its lock."""
    if why != "taken_over" and conversation.channel != Conversation.Channel.TASK:
        _overtake(_open(conversation))


def draft_shown(conversation: Conversation) -> Shown | None:
    """The newest draft, unless staff are done with it; two or three queries, none without drafts but the first."""
    drafts = Draft.objects.select_related("task__turn").filter(task__about=conversation)
    draft = drafts.order_by("-created_at").first()
    if draft is None or draft.outcome not in (Outcome.OPEN, Outcome.NONE) or draft.why:
        return None
    said = dict(Message.objects.filter(conversation=conversation).values_list("role").annotate(Max("seq")).order_by())
    answered = said.get(Message.Role.STAFF, 0)
    if answered > draft.upto_seq:
        return None
    return Shown(
        draft,
        assists_shown([draft.task])[0],
        is_outdated=said.get(Message.Role.CUSTOMER, 0) > draft.upto_seq,
        is_renewed=drafts.filter(outcome=Outcome.OVERTAKEN, upto_seq__gt=answered).exists(),
    )


def because(reason: str) -> str:
    """Why there is no draft, to complete 'No draft, because …'."""
    known = {
        FAILED: "it failed on our side",
        EscalationReason.BUDGET: "a limit of spending or of steps was reached",
        EscalationReason.LOOP: "the assistant went round in circles",
        EscalationReason.MODEL_FAILING: "the model cannot be reached, or the assistant is stopped",
        EscalationReason.UNSURE: "the assistant was not sure enough",
        EscalationReason.TOOL_FAILING: "a tool is failing",
    }
    if reason in known:
        return known[reason]
    return f"the assistant would have asked for a person: {EscalationReason(reason).label.lower()}"


def _open(conversation: Conversation) -> QuerySet[Draft]:
    return Draft.objects.select_related("task__turn__conversation").filter(
        task__about=conversation, outcome=Outcome.OPEN
    )


def _overtake(drafts: Iterable[Draft]) -> None:
    """They answer what is not the newest any more; those that are still being written end."""
    for draft in drafts:
        draft.outcome, draft.settled_at = Outcome.OVERTAKEN, timezone.now()
        draft.save(update_fields=["outcome", "settled_at"])
        turn = draft.task.turn
        if turn is not None and draft.task.state in LIVE_TASKS:
            end_turns(lock(turn.conversation_id), "overtaken")


def _settle(draft: Draft, outcome: Draft.Outcome | None, text: str, message: Message) -> None:
    """What was sent beside what was drafted: SENT or CHANGED by the words themselves, unless an outcome is given."""
    same = likeness(text, message.text)
    draft.outcome = outcome or (Outcome.CHANGED if same.words_changed else Outcome.SENT)
    draft.similarity, draft.words_changed = same.similarity, same.words_changed
    draft.sent, draft.settled_at, draft.settled_by = message, timezone.now(), message.staff
    draft.save(update_fields=["outcome", "similarity", "words_changed", "sent", "settled_at", "settled_by"])


def _asked(conversation: Conversation, upto_seq: int) -> str:
    """What the customer wrote since somebody answered, as the trace shows it."""
    said = [m for m in spoken(conversation.pk, limit=MAX_ASKED) if m.seq <= upto_seq]
    answered = max((m.seq for m in said if m.role != Message.Role.CUSTOMER), default=0)
    words = "\n\n".join(filter(None, (as_written(m) for m in said if m.seq > answered)))
    return words[:MAX_TASK] or "(an empty message)"
