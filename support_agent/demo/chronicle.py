"""Tells a story as rows: the conversation, its messages, and events whose seq has no gap."""

from __future__ import annotations

import uuid
from datetime import UTC, timedelta
from typing import Any

from support_agent.agent.words import FAILED
from support_agent.demo.people import answered, resolved, waits
from support_agent.demo.story import Exchange, Json, Story
from support_agent.demo.traces import Tracer, tokens_of
from support_agent.models import Turn
from tickets import hours
from tickets.demo.people import STAFF
from tickets.demo.world import World
from tickets.ids import REFERENCE_LETTERS
from tickets.markdown import render
from tickets.models import (
    Action,
    Conversation,
    Escalation,
    Event,
    Feedback,
    Message,
    Promise,
    Survey,
    Team,
    User,
    Verification,
)
from tickets.services.actions import action_payload
from tickets.services.escalations import ROUTES
from tickets.services.identity import mask_email
from tickets.services.messages import ASSISTANT_NAME
from tickets.services.promises import REPLY, REPLY_TEXT, promise_payload

COMMENTS = {
    5: ("Quick and clear.", "", "Sorted in two minutes!", ""),
    4: ("Good, a bit formal.", "", ""),
    3: ("Had to ask twice.", ""),
    2: ("I wanted a person right away.", ""),
    1: ("Did not solve it.", ""),
}
NAMES = {person.username: f"{person.first} {person.last[0]}." for person in STAFF}


class Chronicle:
    def __init__(self, world: World, teams: dict[str, Team]) -> None:
        self.world, self.teams = world, teams
        self.tracer = Tracer(world)
        self.rendered: dict[str, str] = {}
        self.references: set[str] = set()

    def tell(self, story: Story) -> Conversation:
        return _Telling(self, story).tell()

    def reference(self) -> str:
        while True:
            letters = "".join(self.world.rng.choices(REFERENCE_LETTERS, k=6))
            if letters not in self.references:
                self.references.add(letters)
                return f"{letters[:3]}-{letters[3:]}"

    def html(self, text: str) -> str:
        if text not in self.rendered:
            self.rendered[text] = render(text)
        return self.rendered[text]


class _Telling:
    """One story on its clock."""

    def __init__(self, chronicle: Chronicle, story: Story) -> None:
        assert story.started_at is not None
        self.chronicle, self.story = chronicle, story
        self.world, self.clock = chronicle.world, story.started_at
        self.tokens = 0
        self.escalation: Escalation | None = None
        self.promise: Promise | None = None
        by_code = any(exchange.verified for exchange in story.exchanges)
        known = story.customer if story.customer and not by_code else None
        self.conversation = self.world.add(
            Conversation,
            self.clock,
            reference=chronicle.reference(),
            customer=known,
            identity=Conversation.Identity.SESSION if known else "",
            verified_at=self.clock if known else None,
            contact_email=known.email if known else "",
            channel=story.channel,
            address_hash="" if known else uuid.UUID(int=self.world.rng.getrandbits(128)).hex,
            topic=story.topic,
        )

    def tell(self) -> Conversation:
        story, conversation = self.story, self.conversation
        for number, exchange in enumerate(story.exchanges):
            is_last = number == len(story.exchanges) - 1
            self._exchange(exchange, hands_over=is_last and story.handover is not None)
        if story.handover and story.ending != "waiting":
            self._person_answers()
        if story.ending == "closed":
            self._close()
        else:
            conversation.status = story.ending
        conversation.customer_read_seq = conversation.last_seq  # they were there all the time
        return conversation

    def _exchange(self, exchange: Exchange, *, hands_over: bool) -> None:
        asked = self._say(Message.Role.CUSTOMER, exchange.said, client_message_id=self._client_id())
        action = self._propose(exchange)
        turn = self.chronicle.tracer.turn(self.conversation, exchange, asked, self.tokens)
        asked.turn_id = turn.pk
        self.clock = turn.finished_at or self.clock
        if action is not None:
            action.turn_id, action.created_at = turn.pk, self.clock
            action.idempotency_key = f"{turn.pk}:{action.tool}"
            self._event("action", {"action": action_payload(action)})
        if exchange.failure:
            self._say(Message.Role.SYSTEM, FAILED, turn_id=turn.pk)
        else:
            if hands_over:
                self.chronicle.tracer.escalated(turn)
                self._wait()
            self._answer(exchange, turn)
        self._event("turn", {"turn_id": str(turn.pk), "state": str(turn.state)})
        self.tokens += tokens_of(exchange.said) + tokens_of(exchange.answer)
        if exchange.calls and exchange.calls[0].tool == "verify_identity":
            self._verify()
        if action is not None:
            self._decide(exchange, turn, action)
        self.clock += timedelta(seconds=self.world.between(15, 160))

    def _answer(self, exchange: Exchange, turn: Turn) -> None:
        message = self._say(
            Message.Role.ASSISTANT,
            exchange.answer,
            author=ASSISTANT_NAME,
            turn_id=turn.pk,
            sources=exchange.sources,
            id=self.world.id_at(self.clock),
        )
        turn.message_id = message.pk
        if self.world.chance(0.14):
            helpful = self.world.chance(0.82)
            reason = "" if helpful else self.world.pick(("Not what I asked.", "Too general.", ""))
            self.world.add(Feedback, self.clock, message=message, helpful=helpful, reason=reason)

    def _propose(self, exchange: Exchange) -> Action | None:
        proposal, customer = exchange.proposal, self.conversation.customer
        if proposal is None or customer is None:
            return None
        action = self.world.add(
            Action,
            self.clock,
            conversation=self.conversation,
            customer=customer,
            tool=proposal.tool,
            arguments=proposal.arguments,
            summary=proposal.summary,
            preview=proposal.preview,
            state=Action.State.PROPOSED,
            expires_at=self.clock + timedelta(minutes=30),
        )
        proposal.id = action.pk
        return action

    def _decide(self, exchange: Exchange, turn: Turn, action: Action) -> None:
        proposal = exchange.proposal
        assert proposal is not None
        if proposal.state == Action.State.PROPOSED:
            self.chronicle.tracer.link(turn, action, None)
            return
        self.clock += timedelta(seconds=self.world.between(8, 70))
        if proposal.state == Action.State.EXPIRED:
            self.clock = action.expires_at
        action.state, action.decided_at, action.receipt = proposal.state, self.clock, proposal.receipt
        statuses = {Action.State.DONE: "success", Action.State.AWAITING_STAFF: "awaiting_staff"}
        status = statuses.get(Action.State(action.state))
        settled: Json | None = {"status": status, "receipt": action.receipt} if status else None
        self.chronicle.tracer.link(turn, action, settled)
        if proposal.made is not None:
            proposal.made.action, proposal.made.created_at = action, self.clock
        self._event("action", {"action": action_payload(action)})

    def _verify(self) -> None:
        customer = self.story.customer
        assert customer is not None
        verification = self.world.add(
            Verification,
            self.clock,
            conversation=self.conversation,
            email=customer.email,
            customer=customer,
            code_hash=uuid.UUID(int=self.world.rng.getrandbits(128)).hex,
            attempts=1,
            state=Verification.State.VERIFIED,
            expires_at=self.clock + timedelta(minutes=10),
        )
        masked = mask_email(customer.email)
        self._event("verification", {"state": "requested", "email_masked": masked})
        self.clock += timedelta(seconds=self.world.between(20, 80))
        self._event("verification", {"state": str(verification.state), "email_masked": masked})
        conversation = self.conversation
        conversation.customer, conversation.identity = customer, Conversation.Identity.CODE
        conversation.verified_at, conversation.contact_email = self.clock, customer.email

    def _wait(self) -> None:
        """Before a person: an escalation, open for as long as the story says."""
        handover, story = self.story.handover, self.story
        assert handover is not None
        team = self.chronicle.teams[handover.team]
        within = ROUTES[handover.reason].within
        due = hours.due_at(self.clock, within).astimezone(UTC)
        if story.ending in {"waiting", "human"}:
            due = self.world.now + timedelta(minutes=story.due_in_minutes)
        self.escalation = self.world.add(
            Escalation,
            self.clock,
            conversation=self.conversation,
            reason=handover.reason,
            summary=handover.summary,
            team=team,
            due_at=due,
            announced_at=self.clock,
        )
        self.conversation.team = team
        if story.ending == "waiting":
            waits(self.escalation, handover.staff, within, self.world.now)
        self._event("status", {"status": "waiting", "team": team.name, "queue_position": 1})
        self.promise = self.world.keep(
            Promise(
                id=uuid.UUID(int=self.escalation.pk.int ^ 1),
                created_at=self.clock,
                conversation=self.conversation,
                kind=Promise.Kind.REPLY,
                about=REPLY,
                text=str(REPLY_TEXT),
                due_at=due,
            )
        )
        self._event("promise", {"promise": promise_payload(self.promise)})

    def _settle(self, state: Promise.State) -> None:
        """How the promise of an answer ended, in time or late."""
        if self.promise is None or self.promise.state != Promise.State.OPEN:
            return
        self.promise.state, self.promise.settled_at = state, self.clock
        self._event("promise", {"promise": promise_payload(self.promise)})

    def _person_answers(self) -> None:
        handover = self.story.handover
        assert handover is not None
        assert handover.staff is not None
        assert self.escalation is not None
        is_slow = self.story.ending == "closed" and self.world.chance(0.13)
        share = self.world.between(0.9, 2.6) if is_slow else self.world.between(0.05, 0.5)
        self.clock += ROUTES[handover.reason].within * share
        staff = handover.staff
        self.escalation.status, self.escalation.claimed_by = Escalation.Status.CLAIMED, staff
        self.escalation.claimed_at = self.clock
        name = NAMES[staff.username]
        self.conversation.assignee = staff
        self._event("status", {"status": "human", "staff": name})
        for who, text in handover.said:
            self.clock += timedelta(seconds=self.world.between(40, 150))
            if who == "customer":
                self._say(Message.Role.CUSTOMER, text, client_message_id=self._client_id())
            else:
                self._say(Message.Role.STAFF, text, author=name, staff=staff)
                answered(self.escalation, self.clock)
                self._settle(Promise.State.KEPT)
        if self.story.ending == "closed" and self.world.chance(0.18):
            self.clock += timedelta(minutes=self.world.between(1, 3))
            self.escalation.status, self.escalation.ended_at = Escalation.Status.HANDED_BACK, self.clock
            self.conversation.assignee = None
            self._event("status", {"status": "ai"})

    def _close(self) -> None:
        self.clock += timedelta(minutes=self.world.between(2, 25 if self.story.handover else 40))
        conversation = self.conversation
        conversation.status, conversation.closed_at = Conversation.Status.CLOSED, self.clock
        if self.escalation is not None and self.escalation.ended_at is None:
            self.escalation.status, self.escalation.ended_at = Escalation.Status.CLOSED, self.clock
        self._settle(Promise.State.WITHDRAWN)
        self._event("status", {"status": "closed"})
        survey = self.world.add(Survey, self.clock, conversation=conversation)
        self._event("survey", {"state": "requested"})
        if self.world.chance(0.34):
            self.clock += timedelta(seconds=self.world.between(20, 400))
            survey.state, survey.answered_at = Survey.State.ANSWERED, self.clock
            survey.rating = self.world.weighted({5: 48, 4: 28, 3: 12, 2: 7, 1: 5})
            survey.comment = self.world.pick(COMMENTS[survey.rating])
            self._event("survey", {"state": "answered"})
        resolved(self.world, self.conversation, survey, self.story.handover.staff if self.story.handover else None)

    def _say(self, role: Message.Role, text: str, *, staff: User | None = None, **fields: Any) -> Message:
        customer = self.conversation.customer
        if role == Message.Role.CUSTOMER:
            fields["author"] = customer.name if customer else ""
        message = Message(
            conversation=self.conversation, role=role, text=text, html=self.chronicle.html(text), staff=staff,
            created_at=self.clock, **{"id": self.world.id_at(self.clock), **fields},
        )  # fmt: skip
        self.world.keep(message)
        message.seq = self._event("message", {}, message).seq
        self.conversation.last_message_at = self.clock
        return message

    def _event(self, type: str, payload: Json, message: Message | None = None) -> Event:
        self.conversation.last_seq += 1
        return self.world.keep(
            Event(
                conversation=self.conversation,
                seq=self.conversation.last_seq,
                type=type,
                payload=payload,
                message=message,
                created_at=self.clock,
            )
        )

    def _client_id(self) -> uuid.UUID:
        return uuid.UUID(int=self.world.rng.getrandbits(128), version=4)
