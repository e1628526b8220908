"""Conversations about anything but one order: the help centre, the account, people, and what went wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from support_agent.agent.words import FAILED, HANDOVER
from support_agent.demo.questions import FOLLOW_UPS, QUESTIONS, SMALL_TALK, UNKNOWN
from support_agent.demo.records import Records
from support_agent.demo.shelf import Reading
from support_agent.demo.story import Call, Exchange, Handover, Proposal, Story
from support_agent.tools.common import NEEDS_VERIFICATION
from support_agent.tools.knowledge import NOTHING
from tickets.demo.world import World
from tickets.models import Customer, EscalationReason, Order

NO_ANSWER = "I could not find anything about that in our help centre. I can bring in a person if you like."
CANNOT_CLAIM = "our fastest delivery takes 3 hours"


class HelpStories:
    def __init__(self, world: World, records: Records, readings: dict[str, Reading]) -> None:
        self.world, self.records, self.readings = world, records, readings

    def question(self, customer: Customer | None, at: datetime) -> Story:
        """Answered from an article, sometimes with a second question."""
        slug, topic, subject, phrasings = self.world.pick(QUESTIONS)
        exchanges = [self._answered(slug, topic, subject, self.world.pick(phrasings))]
        if slug in FOLLOW_UPS and self.world.chance(0.6):
            said, other, other_topic = FOLLOW_UPS[slug]
            exchanges.append(self._answered(other, other_topic, subject, said))
        if self.world.chance(0.06):
            exchanges[0].rejected = f"{exchanges[0].answer} And {CANNOT_CLAIM}."
        return Story(topic, exchanges, customer, started_at=at)

    def without_answer(self, customer: Customer | None, at: datetime) -> Story:
        """The help centre has nothing about it, and the assistant says so."""
        topic, phrasings = self.world.pick(UNKNOWN)
        said = self.world.pick(phrasings)
        call = Call("search_knowledge_base", {"query": said}, {"status": "not_found", "message": NOTHING})
        exchange = Exchange(said, NO_ANSWER, [call], topic=topic, subject="technical")
        return Story(topic, [exchange], customer, started_at=at)

    def small_talk(self, at: datetime) -> Story:
        said, answer, topic = self.world.pick(SMALL_TALK)
        return Story(topic, [Exchange(said, answer, topic=topic, fast=topic == "greeting")], started_at=at)

    def stranger_with_order(self, order: Order, at: datetime) -> Story:
        """Not signed in: the same words for any order, then a code, then the answer."""
        number = {"order_number": order.order_number}
        refused = Call("track_shipment", number, {"status": "needs_verification", "message": NEEDS_VERIFICATION})
        sent = {"status": "success", "state": "requested", "message": "If we know this address, a code is on its way."}
        tracked = self.records.tracked(order, at + timedelta(minutes=3))
        return Story(
            "order status",
            [
                Exchange(
                    f"Where is {order.order_number}?",
                    "I can look into orders once I know it is you. Which e-mail address did you order with?",
                    [refused],
                    topic="order status",
                    subject="orders",
                    fast=True,
                ),
                Exchange(
                    order.customer.email,
                    "Thank you. If we know this address, a six-digit code is on its way; please type it into the form.",
                    [Call("verify_identity", {"email": order.customer.email}, sent)],
                    topic="identity",
                    subject="account",
                    verified=True,
                ),
                Exchange(
                    "done, so where is it",
                    f"Thank you. Order {order.order_number} is {tracked['order_status']}; "
                    f"its parcel is {tracked['shipments'][0]['tracking_number']} with "
                    f"{tracked['shipments'][0]['carrier']}."
                    if tracked["shipments"]
                    else f"Thank you. Order {order.order_number} is {tracked['order_status']} and not shipped yet.",
                    [Call("track_shipment", number, tracked)],
                    topic="order status",
                    subject="orders",
                ),
            ],
            order.customer,
            started_at=at,
        )

    def new_phone(self, customer: Customer, at: datetime, state: str) -> Story:
        phone = f"+1 {self.world.rng.randrange(201, 990)} 555 01{self.world.rng.randrange(10, 100)}"
        done = {"field": "phone", "value": phone, "message": "Your details are updated."} if state == "done" else {}
        proposal = Proposal(
            "update_customer",
            {"field": "phone", "value": phone},
            f"Change your phone number to {phone}",
            {"field": "phone", "before": customer.phone, "after": phone},
            state,
            done,
        )
        if state == "done":
            customer.phone = phone
        exchange = Exchange(
            f"I have a new phone number: {phone}",
            f"I can change your phone number to {phone}. Please confirm below.",
            topic="profile",
            subject="account",
            complexity="medium",
            proposal=proposal,
        )
        return Story("profile", [exchange], customer, started_at=at)

    def model_down(self, customer: Customer | None, at: datetime) -> Story:
        """The provider was overloaded on both tiers; the next try worked."""
        again = self._answered("delivery-times-and-costs", "delivery", "orders", "How long does delivery take?")
        first = Exchange(
            again.said, FAILED, topic="delivery", subject="orders", failure="overloaded: 529 after 3 attempts"
        )
        return Story("delivery", [first, again], customer, started_at=at)

    def handed_over(self, case: Handover, said: str, customer: Customer | None, at: datetime, topic: str) -> Story:
        """Straight to a person; `case.said` is what the person wrote."""
        answer = (
            "I've passed your conversation to our team. A person will reply right here; you need not repeat anything."
        )
        call = Call(
            "escalate_to_human",
            {"reason": said[:120], "summary": case.summary, "suggested_team": case.team},
            {"status": "success", "escalation": {"team": case.team, "position": 1, "when": "within 15 minutes"}},
        )
        unsure = case.reason in {EscalationReason.UNSURE, EscalationReason.MODEL_FAILING, EscalationReason.BUDGET}
        exchange = Exchange(
            said, HANDOVER if unsure else answer, [] if unsure else [call], topic=topic, subject="account",
            complexity="complex" if case.reason in {EscalationReason.MONEY, EscalationReason.LEGAL} else "medium",
        )  # fmt: skip
        return Story(topic, [exchange], customer, handover=case, started_at=at)

    def _answered(self, slug: str, topic: str, subject: str, said: str) -> Exchange:
        reading = self.readings[slug]
        others = [other for other in self.readings.values() if other.category == reading.category and other != reading]
        hits = [reading, *self.world.rng.sample(others, 2)]
        result = {"status": "success", "results": [hit.hit(n) for n, hit in enumerate(hits, 1)], "more": 0}
        call = Call("search_knowledge_base", {"query": said, "category": reading.category}, result)
        return Exchange(
            said, f"{reading.first} [1]", [call], topic=topic, subject=subject, sources=[reading.source(1)]
        )  # fmt: skip
