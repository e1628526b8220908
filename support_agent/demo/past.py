"""Which conversations the last 60 days held: about 380, from the orders' own events and from people's questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from support_agent.demo.cases import CASES, OPEN_CASES
from support_agent.demo.chronicle import Chronicle
from support_agent.demo.records import Records
from support_agent.demo.shelf import readings
from support_agent.demo.stories_help import HelpStories
from support_agent.demo.stories_orders import OrderStories
from support_agent.demo.stories_written import WrittenStories, scripts
from support_agent.demo.story import Handover, Story
from tickets import hours
from tickets.demo.seed import Desk
from tickets.models import Conversation, Customer, DeliveryProblem, Order, Refund, Return, ReturnLine, User
from tickets.policy import POLICY

DAYS = 60
AT_A_CLICK = {"Price fell within 14 days.", "Arrived four days late.", "Scratched lid."}


def seed_conversations(desk: Desk) -> list[Conversation]:
    """Tell them all, oldest first; their traces and what they spent come with them."""
    chronicle = Chronicle(desk.world, desk.teams)
    stories = sorted(_Past(desk).stories(), key=lambda story: story.started_at or desk.world.now)
    told = [chronicle.tell(story) for story in stories]
    chronicle.tracer.save_spend()
    return told


class _Past:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.world = desk, desk.world
        records = Records(desk.world)
        shelf = readings()
        self.of_orders = OrderStories(desk.world, records)
        self.of_help = HelpStories(desk.world, records, shelf)
        self.written = WrittenStories(desk.world, records, shelf, desk.staff)
        self.since = desk.world.ago(days=DAYS)
        self.until = desk.world.ago(hours=2)
        cast = set(desk.cast.values())
        self.strangers = [customer for customer in desk.others if customer.status == Customer.Status.ACTIVE]
        self.orders = [
            one.order
            for one in desk.orders
            if one.order and one.customer not in cast and one.customer.status == Customer.Status.ACTIVE
        ]

    def stories(self) -> Iterator[Story]:
        yield from self._from_records()
        yield from self._about_parcels()
        yield from self._questions()
        yield from self._written()
        yield from self._people()
        yield from self._queue()

    def _from_records(self) -> Iterator[Story]:
        """Returns, cancellations, small refunds and complaints came about in a conversation."""
        world, known = self.world, {order.pk for order in self.orders}
        # Of the cast only what is long over: their chat begins with a clean page.
        long_ago = world.ago(days=30)
        known |= {one.order.pk for one in self.desk.orders if one.order and one.placed_at < long_ago}
        lines: dict[Return, list[ReturnLine]] = defaultdict(list)
        for line in world.rows[ReturnLine]:
            lines[line.parent].append(line)
        told = [parcel for parcel in world.rows[Return] if self._recent(parcel.created_at) and parcel.order_id in known]
        for parcel in told[:34]:
            yield self.of_orders.returned(parcel, lines[parcel])
        refunds: dict[Order, Refund] = {refund.order: refund for refund in world.rows[Refund]}
        cancelled = [order for order in self.orders if order.cancelled_at and self._recent(order.cancelled_at)]
        for order in cancelled[:20]:
            yield self.of_orders.cancelled(order, refunds.get(order))
        for refund in world.rows[Refund]:
            small = refund.reason in AT_A_CLICK and refund.amount <= POLICY.refund_limit
            if small and refund.order_id in known and self._recent(refund.created_at):
                yield self.of_orders.refunded(refund)
        for problem in world.rows[DeliveryProblem]:
            if problem.is_open and problem.order_id in known and self._recent(problem.created_at):
                yield self.of_orders.complained(problem)

    def _about_parcels(self) -> Iterator[Story]:
        world = self.world
        sent = [order for order in self.orders if not order.cancelled_at and order.placed_at > self.since]
        for number, order in enumerate(world.rng.sample(sent, min(95, len(sent)))):
            latest = min(order.delivered_at + timedelta(days=1), self.until) if order.delivered_at else self.until
            at = order.placed_at + (latest - order.placed_at) * world.between(0.3, 1)
            yield self.of_help.stranger_with_order(order, at) if number < 16 else self.of_orders.where_is_it(order, at)

    def _questions(self) -> Iterator[Story]:
        world = self.world
        for number in range(80):
            customer = world.pick(self.strangers) if world.chance(0.4) else None
            story = self.of_help.question(customer, self._some_time())
            story.channel = Conversation.Channel.WIDGET if number % 9 == 0 else Conversation.Channel.CHAT
            yield story
        for _ in range(18):
            yield self.of_help.without_answer(
                world.pick(self.strangers) if world.chance(0.4) else None, self._some_time()
            )
        for _ in range(14):
            yield self.of_help.small_talk(self._some_time())
        for state in ("done", "done", "done", "declined", "expired", "expired"):
            yield self.of_help.new_phone(world.pick(self.strangers), self._some_time(), state)
        for _ in range(3):
            yield self.of_help.model_down(world.pick(self.strangers), self._some_time())
        for _ in range(3):  # left open: somebody may come back to them
            story = self.of_help.question(world.pick(self.strangers), world.ago(hours=world.between(1, 9)))
            story.ending = Conversation.Status.AI
            yield story

    def _written(self) -> Iterator[Story]:
        """Each written conversation twice, of different people."""
        world = self.world
        by_status: dict[str, list[Order]] = defaultdict(list)
        for order in self.orders:
            if order.placed_at > self.since:
                by_status[order.status].append(order)
        for script in scripts() * 2:
            fitting = by_status[script["order"]] if "order" in script else []
            about = world.pick(fitting) if fitting else None
            at = min(self.written.moment(about), self.until) if about else self._some_time()
            yield self.written.tell(script, about, world.pick(self.strangers), at)

    def _people(self) -> Iterator[Story]:
        for number in range(72):
            story = self._case(number % len(CASES), self._desk_time())
            assert story.handover is not None
            story.handover.staff = self._answerer(story.handover.team)
            yield story

    def _answerer(self, team: str) -> User:
        """Billing has its own; the lead helps where there is much to do."""
        usual = "agent2" if team == "billing" else "agent"
        return self.desk.staff["lead" if self.world.chance(0.22) else usual]

    def _queue(self) -> Iterator[Story]:
        for case, ending, began, due, staff in OPEN_CASES:
            story = self._case(case, self.world.ago(minutes=began))
            story.ending, story.due_in_minutes = ending, due
            assert story.handover is not None
            story.handover.staff = self.desk.staff.get(staff)
            yield story

    def _case(self, number: int, at: datetime) -> Story:
        said, reason, team, topic, summary, replies = CASES[number]
        first, *more = [("staff", reply) for reply in replies]
        thanked = [word for reply in more for word in (("customer", "Thank you, that helps."), reply)]
        handover = Handover(reason, summary, team, [first, *thanked])
        customer = None if topic in {"identity", "person"} else self.world.pick(self.strangers)
        return self.of_help.handed_over(handover, said, customer, at, topic)

    def _recent(self, moment: datetime) -> bool:
        return self.since < moment < self.until

    def _desk_time(self) -> datetime:
        """A moment in the desk's hours: most who want a person come when there is one."""
        at = self._some_time()
        if not hours.is_open(at):
            at = hours.next_opening(at).astimezone(UTC) + timedelta(hours=self.world.between(0, 9.2))
        return min(at, self.until)

    def _some_time(self) -> datetime:
        """More often lately than long ago."""
        return min(self.world.ago(days=DAYS * self.world.rng.random() ** 1.4), self.until)
