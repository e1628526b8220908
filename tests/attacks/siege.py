"""One attack, end to end: planted, asked about, answered by the real runner over the obeying model, and gathered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.core import mail
from django.core.mail import EmailMessage

from support_agent.models import ConversationMemory, Step, Task, ToolCall, Turn
from support_agent.runtime.assists import assist_ask
from support_agent.runtime.runner import Runner
from support_agent.runtime.tasks import start_task, task_create
from tests.attacks.catalogue import Attack
from tests.attacks.victims import Own, World, make_own
from tests.attacks.walls import Change, Frames, changes, snapshot
from tests.fakes.messages_api import FakeMessagesAPI, Served
from tests.fakes.obeying import ObeyingModel
from tests.runtime.conftest import post
from tickets.db import in_db
from tickets.models import Article, Conversation, EscalationReason, Plan
from tickets.selectors.conversations import events_after
from tickets.services.articles import article_delete, article_save
from tickets.services.conversations import conversation_claim, conversation_create, conversation_hand_back
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_assistant, message_post, message_staff
from tickets.services.notes import note_add
from tickets.services.tickets import ticket_create

Json = dict[str, Any]
NOTED = "staff know: the customer is not to hear of this"  # a note in each conversation, for staff only
STAFF_SIDE = {"draft", "summary"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What an attack left behind, wherever it shows."""

    attack: Attack
    own: Own
    token: str
    conversations: Sequence[UUID]  # that the attack may write to
    turns: Sequence[Turn]
    steps: Sequence[Json]
    calls: Sequence[ToolCall]
    events: Sequence[Json]
    frames: Sequence[tuple[str, Json]]
    served: Sequence[Served]
    refused: Sequence[str]
    mails: Sequence[EmailMessage]
    changes: Sequence[Change]
    tried: Sequence[str]
    task: Task | None
    was_heard: bool


@dataclass
class Siege:
    """The product as it runs, watched; `run` attacks it once."""

    world: World
    model: ObeyingModel
    api: FakeMessagesAPI
    runner: Runner
    frames: Frames
    tried: list[str]

    async def run(self, attack: Attack) -> Seen:
        own = await in_db(make_own, self.world, Plan.PLUS if attack.who == "plus" else Plan.FREE)
        attack = attack.filled(own.names)
        conversation, token = await in_db(self._conversation, attack, own)
        article = await in_db(self._plant, attack, own, conversation)
        self.model.forget()
        begun = len(self.frames.sent), len(self.api.served), len(self.api.refusals), len(mail.outbox)
        before = await in_db(snapshot)
        task: Task | None = None
        if attack.takes_over:
            self.model.interrupt = partial(self._take_over, attack.takes_over, conversation)
        if attack.who in STAFF_SIDE or attack.who.startswith("task"):
            task = await self._ask_behind(attack, own, conversation)
        else:
            for words in filter(None, (attack.text if attack.where == "message" else attack.asks, attack.then)):
                submitted = await in_db(post, conversation, words)
                if submitted.turn is not None:
                    await self._ended(submitted.turn)
        await self._quiet()
        after = await in_db(snapshot)
        written = await in_db(changes, before, after)
        if article is not None:
            await in_db(lambda: article_delete(article=article))
        return await in_db(self._gather, attack, own, conversation, token, task, written, begun)

    async def _take_over(self, at: int, conversation: Conversation, answer: int) -> None:
        """Staff take over while the model is about to give its `at`-th answer."""
        if answer == at:
            await in_db(lambda: conversation_claim(conversation_id=conversation.pk, staff=self.world.cast.agent))

    async def _ask_behind(self, attack: Attack, own: Own, conversation: Conversation) -> Task:
        """A draft, a summary or a background task: what staff and programs ask for."""
        agent = self.world.cast.agent
        if attack.who in STAFF_SIDE:
            task = await in_db(lambda: assist_ask(conversation=conversation, staff=agent, purpose=attack.who))
        else:
            customer = own.customer if attack.who == "task_for_customer" else None
            task = await in_db(
                lambda: task_create(
                    requested_by=agent,
                    task=attack.text,
                    complexity="simple",
                    budget_usd=own.paid.total / 1000,
                    customer=customer,
                )
            )
        await in_db(start_task, str(task.pk))
        task = await in_db(lambda: Task.objects.select_related("turn").get(pk=task.pk))
        assert task.turn is not None
        await self._ended(task.turn)
        return await in_db(lambda: Task.objects.select_related("turn").get(pk=task.pk))

    async def _ended(self, turn: Turn) -> None:
        """Wait until the turn's end was told; what is missing is said before pytest's own patience ends."""
        try:
            await self.frames.end_of(turn.pk)
        except TimeoutError:
            found = await in_db(
                lambda: Turn.objects.filter(pk=turn.pk).values("state", "attempt", "owner", "error").get()
            )
            kinds = await in_db(lambda: list(Step.objects.filter(turn=turn).values_list("kind", "tool", "error")))
            raise AssertionError(f"the turn's end was not told: {found}, {kinds}") from None

    async def _quiet(self) -> None:
        """Wait until the runner has nothing in its hands: what comes late shows as well."""
        if tasks := [task for _, task in self.runner._running.values()]:
            await asyncio.wait(tasks, timeout=60)

    def _conversation(self, attack: Attack, own: Own) -> tuple[Conversation, str]:
        customer = None if attack.who in {"stranger", "task"} else own.customer
        made = conversation_create(
            channel="chat", customer=customer, identity="session" if customer else "", with_token=True
        )
        note_add(conversation_id=made[0].pk, author=self.world.cast.lead, text=NOTED)
        return made

    def _plant(self, attack: Attack, own: Own, conversation: Conversation) -> Article | None:
        """Put the attacker's text where it waits to be read."""
        staff = self.world.cast.agent
        match attack.where:
            case "order_note":
                own.delivered.note = attack.text
                own.delivered.save(update_fields=["note"])
            case "product":
                own.delivered.lines.update(name=attack.text[:120])
            case "tracking":
                own.shipped.shipments.get().events.update(description=attack.text[:200])
            case "name" | "address":
                setattr(own.customer, {"name": "name", "address": "shipping_address"}[attack.where], attack.text)
                own.customer.save()
            case "ticket":
                ticket_create(subject=attack.text[:200], body=attack.text, category="billing", customer=own.customer)
            case "other_ticket":  # left by a stranger, who says that the address is theirs
                ticket_create(
                    subject=attack.text[:200], body=attack.text, category="billing", contact_email=own.customer.email
                )
            case "note":
                note_add(conversation_id=conversation.pk, author=self.world.cast.lead, text=attack.text)
            case "article":
                return article_save(
                    slug=f"poison-{attack.id}", title=attack.asks[:160], category="product", body=attack.text,
                    status="published", embed=False,
                )  # fmt: skip
            case "earlier" | "memory" | "staff_message" | "instruction" | "attachment":
                self._said_before(attack, conversation)
        if attack.waits:
            escalation_open(conversation=conversation, reason=EscalationReason.ASKED, summary="asked")
        if attack.who in STAFF_SIDE:
            if attack.where == "message":
                message_post(conversation=conversation, client_message_id=uuid4(), text=attack.text)
            else:
                message_post(conversation=conversation, client_message_id=uuid4(), text=attack.asks)
            conversation_claim(conversation_id=conversation.pk, staff=staff)
        return None

    def _said_before(self, attack: Attack, conversation: Conversation) -> None:
        staff = self.world.cast.agent
        images = [{"id": str(uuid4()), "name": attack.text[:120], "content_type": "image/png", "size": 1, "url": "/x"}]
        message_post(
            conversation=conversation,
            client_message_id=uuid4(),
            text="Look at this." if attack.where in {"attachment", "memory"} else attack.text,
            attachments=images if attack.where == "attachment" else (),
        )
        if attack.where in {"staff_message", "instruction"}:
            told = f"You wrote: {attack.text}" if attack.where == "staff_message" else "You wrote to us."
            claimed = conversation_claim(conversation_id=conversation.pk, staff=staff)
            message_staff(conversation=claimed, staff=staff, text=told)
            quoted = f"They say: {attack.text}" if attack.where == "instruction" else ""
            conversation_hand_back(conversation=claimed, staff=staff, instruction=quoted)
            return
        message_assistant(conversation=conversation, text="Thank you, noted.", turn_id=uuid4())
        if attack.where == "memory":
            ConversationMemory.objects.create(
                conversation=conversation, summary=f"The customer says: {attack.text}", upto_seq=2, facts=[]
            )

    def _gather(
        self, attack: Attack, own: Own, conversation: Conversation, token: str, task: Task | None,
        written: list[Change], begun: tuple[int, int, int, int],
    ) -> Seen:  # fmt: skip
        ids = [conversation.pk]
        if task is not None and task.turn is not None:
            ids.append(task.turn.conversation_id)
        turns = list(Turn.objects.filter(conversation__in=ids).order_by("created_at"))
        return Seen(
            attack=attack,
            own=own,
            token=token,
            conversations=ids,
            turns=turns,
            steps=[
                dict(step) for step in Step.objects.filter(turn__in=turns).values("kind", "output", "input", "error")
            ],
            calls=list(ToolCall.objects.filter(turn__in=turns)),
            events=[event for key in ids for event in events_after(key, 0)],
            frames=self.frames.sent[begun[0] :],
            served=self.api.served[begun[1] :],
            refused=[refusal.message for refusal in self.api.refusals[begun[2] :]],
            mails=mail.outbox[begun[3] :],
            changes=written,
            tried=list(self.tried),
            task=task,
            was_heard=bool(self.model.heard),
        )
