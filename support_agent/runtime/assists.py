"""Summaries and drafts for staff: a background task about a conversation, run by the same engine.

The task's text says what is wanted and holds the conversation as JSON lines, as data. The task is its own conversation,
of the same verified customer, with reading tools only; nothing of it is ever sent by itself. What became of a draft is
in the audit trail, and nowhere else: the trail is append-only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from support_agent.models import Task, ToolCall
from support_agent.runtime.endings import LIVE as TURN_LIVE
from support_agent.runtime.endings import LIVE_TASKS as LIVE
from support_agent.runtime.memories import as_written
from support_agent.runtime.tasks import start_task
from tickets.errors import NotFound
from tickets.models import AuditEntry, Conversation, Message, User
from tickets.selectors.conversations import spoken
from tickets.selectors.escalations import escalation_open_of
from tickets.selectors.staff import staff_name
from tickets.services.audit import audit
from tickets.services.conversations import lock

Json = dict[str, Any]
BUDGET_USD = Decimal("0.50")
COMPLEXITY = {Task.Purpose.SUMMARY: "simple", Task.Purpose.DRAFT: "medium"}
WISHES = {
    Task.Purpose.SUMMARY: "Wanted: a summary of this conversation for a colleague.",
    Task.Purpose.DRAFT: "Wanted: a draft of the reply to the customer's newest words.",
}
MAX_MESSAGES, MAX_CHARS, MAX_MESSAGE = 80, 24_000, 4000
MAX_EVIDENCE = 40
INSERTED, SENT, CHANGED, DISCARDED = "assist.insert", "assist.send", "assist.change", "assist.discard"
SETTLED = {SENT, CHANGED, DISCARDED}
_CITATION = re.compile(r"\s?\[(\d{1,2})\]")


@dataclass(frozen=True, slots=True)
class Assist:
    """A summary or draft as staff see it. `text` has its citations as links; `deeds` are the audit's, oldest first."""

    task: Task
    text: str
    deeds: Sequence[str]

    @property
    def is_live(self) -> bool:
        turn = self.task.turn
        return self.task.state in LIVE and (turn is None or turn.state in TURN_LIVE)

    @property
    def is_settled(self) -> bool:
        return bool(SETTLED & set(self.deeds))

    @property
    def is_inserted(self) -> bool:
        return INSERTED in self.deeds


@transaction.atomic
def assist_ask(*, conversation: Conversation, staff: User, purpose: str) -> Task:
    """Ask for one; while the same is being made for this conversation, that one is returned. It starts at once."""
    purpose = Task.Purpose(purpose)
    lock(conversation.pk)
    working = Q(turn=None) | Q(turn__state__in=TURN_LIVE)  # one whose turn is over never gets its words
    live = Task.objects.filter(working, about=conversation, purpose=purpose, state__in=LIVE).first()
    if live is not None:
        return live
    task = Task.objects.create(
        purpose=purpose,
        about=conversation,
        requested_by=staff,
        customer=conversation.customer,
        task=_wish(conversation, staff, purpose),
        complexity=COMPLEXITY[purpose],
        budget_usd=BUDGET_USD,
    )
    audit(actor=staff, action=f"assist.{purpose.value}", obj=task, changes={"about": (None, conversation.reference)})
    start_task(str(task.pk))
    return task


@transaction.atomic
def assist_note(*, conversation: Conversation, staff: User, task_id: UUID, action: str) -> Assist:
    """Write down that one was inserted or discarded. Raises NotFound for one of another conversation."""
    found = assist_of(conversation, task_id)
    if action not in found.deeds:
        audit(actor=staff, action=action, obj=found.task)
    return found


def assist_sent(*, conversation: Conversation, staff: User, task_id: UUID, text: str) -> None:
    """A reply that began as a draft went out: as it was, or changed, with what was suggested and what was sent."""
    found = assist_of(conversation, task_id)
    if found.is_settled:
        return
    action = SENT if _plain(found.text) == _plain(text) else CHANGED
    audit(actor=staff, action=action, obj=found.task, changes={"text": (found.text, text)})


def assist_of(conversation: Conversation, task_id: UUID, *purposes: str) -> Assist:
    """One of a conversation's, of any purpose or of these; raises NotFound."""
    wanted = Q(purpose__in=purposes) if purposes else Q()
    task = Task.objects.select_related("turn").filter(wanted, pk=task_id, about=conversation).first()
    if task is None:
        raise NotFound("There is no such draft.")
    return assists_shown([task])[0]


def assists_shown(tasks: Iterable[Task]) -> list[Assist]:
    """Tasks with their texts and what became of them; two queries."""
    tasks = list(tasks)
    deeds: dict[str, list[str]] = {str(task.pk): [] for task in tasks}
    entries = AuditEntry.objects.filter(object_id__in=list(deeds), object_type="support_agent.task")
    for key, action in entries.order_by("created_at").values_list("object_id", "action"):
        deeds[key].append(action)
    answers = Message.objects.filter(turn_id__in=[task.turn_id for task in tasks], role=Message.Role.ASSISTANT)
    sources = dict(answers.values_list("turn_id", "sources"))
    return [Assist(task, _linked(task.result, sources.get(task.turn_id) or []), deeds[str(task.pk)]) for task in tasks]


def evidence_for(task: Task, until: datetime | None = None) -> list[str]:
    """What a summary or draft may state: our side's words and look-ups; a summary also what the customer claims, an
    article what it was given.

    With `until`, what there was at that moment.
    """
    if task.purpose == Task.Purpose.ARTICLE:
        return [line for line in task.task.splitlines() if line.startswith("{")]  # what it is to be made of
    assert task.about_id is not None
    then = Q(created_at__lt=until) if until else Q()
    results = ToolCall.objects.filter(then, conversation=task.about_id).order_by("-created_at")
    found = [json.dumps(result, default=str) for result in results.values_list("result", flat=True)[:MAX_EVIDENCE]]
    said = Message.objects.filter(then, conversation=task.about_id).order_by("-seq")[:MAX_MESSAGES]
    ours = [m.text for m in said if m.role != Message.Role.CUSTOMER or task.purpose == Task.Purpose.SUMMARY]
    return [*found, *ours]


def _wish(conversation: Conversation, staff: User, purpose: Task.Purpose) -> str:
    """What is wanted, who takes part, and the newest part of the conversation that fits, oldest first."""
    customer = conversation.customer
    known = {
        "reference": conversation.reference,
        "customer": customer.name if customer else "",
        "plan": customer.get_plan_display() if customer else "",
        "locale": conversation.locale,
        "status": conversation.get_status_display(),
        "staff": staff_name(staff),
    }
    escalation = escalation_open_of(conversation)
    if escalation is not None and escalation.first_reply_at is None:
        known["waits_for_a_person"] = escalation.reason
    lines: list[str] = []
    room = MAX_CHARS
    for entry in reversed(_told(conversation)):
        line = json.dumps(entry, ensure_ascii=False)
        room -= len(line)
        if room < 0:
            lines.append(json.dumps({"by": "desk", "text": "(older messages are left out)"}))
            break
        lines.append(line)
    return "\n".join([WISHES[purpose], json.dumps(known, ensure_ascii=False), *reversed(lines)])


def _told(conversation: Conversation) -> list[Json]:
    """Messages and what became of actions, in order; never the notes, which staff keep among themselves."""
    told: list[tuple[Any, Json]] = []
    for message in spoken(conversation.pk, limit=MAX_MESSAGES):
        entry: Json = {"by": message.role, "text": as_written(message)[:MAX_MESSAGE]}
        if message.role == Message.Role.STAFF:
            entry["name"] = message.author
        told.append((message.created_at, entry))
    told += [
        (action.created_at, {"by": "desk", "action": action.summary, "state": action.state})
        for action in conversation.actions.order_by("-created_at")[:10]
    ]
    return [entry for _, entry in sorted(told, key=lambda one: one[0])]


def _linked(text: str, sources: Sequence[Json]) -> str:
    """Numbers mean nothing outside the task: each citation becomes a link, an article's first one only."""
    urls = {int(source["n"]): source for source in sources}
    linked: set[int] = set()

    def link(found: re.Match[str]) -> str:
        number = int(found[1])
        if number not in urls or number in linked:
            return ""
        linked.add(number)
        return f" ([{urls[number]['title']}]({urls[number]['url']}))"

    return _CITATION.sub(link, text)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
