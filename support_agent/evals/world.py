"""Where cases run: a database of their own for the run, and in it for each case people and records nobody else has."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import settings
from django.db import DatabaseError, connection

from support_agent.evals.cases import Case
from support_agent.evals.changes import change_article, change_customer, change_order
from support_agent.evals.placeholders import PLACEHOLDER
from support_agent.evals.records import ADDRESS, RECORDS, make_order
from tickets.demo.articles import load_articles
from tickets.models import (
    Article,
    Attachment,
    Conversation,
    Customer,
    DeliveryProblem,
    Escalation,
    Order,
    Plan,
    Refund,
    Return,
    Ticket,
    Verification,
)
from tickets.queue import jobs_dropped
from tickets.services.articles import article_delete, article_save
from tickets.services.conversations import conversation_create

PLANS = {"owner": Plan.FREE, "plus": Plan.PLUS, "business": Plan.ENTERPRISE, "stranger": Plan.FREE}
NAMES = {"owner": "Olivia Owner", "plus": "Petra Plus", "business": "Bea Business", "stranger": "Stan Stranger"}
OTHER = ("Oscar Otherman", "77 Hidden Lane\nBend, OR 97701")
WATCHED = {
    Order: ("status", "paid_total", "refunded_total", "shipping_address"),
    Customer: ("name", "email", "phone", "shipping_address", "plan", "status", "marketing_opt_in"),
}
_numbers = count(1)
TOKEN = 12  # hexadecimal digits: another process, in another container too, has others
LONGEST = 63 - len("_evals_") - TOKEN  # of PostgreSQL's names


class NoDatabase(RuntimeError):
    """No database of its own can be had; the message says why."""


@contextmanager
def throwaway_database() -> Iterator[None]:
    """A fresh database in place of the configured one, dropped at the end.

    Turns commit, in many threads, and some of what they write may never be deleted: only a database of its own takes
    all of it away, and no runner sees its turns.
    """
    own = connection.settings_dict["NAME"]
    test = connection.settings_dict["TEST"]
    before = test.get("NAME")
    prefix = _prefix(own)
    _drop_leftovers(prefix)
    connection.close()  # first: closing it later would make a new pool of the old name
    connection.close_pool()  # type: ignore[attr-defined]
    test["NAME"] = f"{prefix}{secrets.token_hex(TOKEN // 2)}"
    try:
        with _held(test["NAME"]):
            _create()
            try:
                _check_in(test["NAME"])
                with undisturbed():
                    yield
            finally:
                connection.creation.destroy_test_db(own, verbosity=0)
                settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = own
    finally:
        test["NAME"] = before


@contextmanager
def undisturbed() -> Iterator[None]:
    """The demo's help centre is there, and meanwhile events reach no socket and jobs no worker."""
    layer = channel_layers.set("default", InMemoryChannelLayer())
    try:
        with jobs_dropped():
            load_articles()
            yield
    finally:
        if layer is None:
            channel_layers.backends.pop("default")
        else:
            channel_layers.set("default", layer)


def _check_in(name: str) -> None:
    """Cases must never write into the real database: rather none runs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (found,) = cursor.fetchone()
    if found != name:
        raise RuntimeError(f"expected to be in the database {name}, but this is {found}")


def _prefix(own: str) -> str:
    """How the names of a database's throw-away ones begin; one that is too long is cut, and told apart by a hash."""
    stem = re.sub(rf"_evals_[0-9a-f]{{{TOKEN}}}$", "", own)
    if len(stem.encode()) > LONGEST:
        mark = f"_{hashlib.sha256(stem.encode()).hexdigest()[:8]}"
        stem = stem.encode()[: LONGEST - len(mark)].decode(errors="ignore") + mark
    return f"{stem}_evals_"


@contextmanager
def _held(name: str) -> Iterator[None]:
    """While this lasts, nobody takes the database of this name for a leftover, also before we are connected to it."""
    with connection.creation._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        yield  # the lock goes with its connection, and that with the process


def _create() -> None:
    """Raises NoDatabase where Django would end the process."""
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    except SystemExit:
        with connection.creation._nodb_cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute("SELECT rolname, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
            role, may_create = cursor.fetchone()
        why = "the throw-away database could not be created: PostgreSQL's log says why"
        if not may_create:
            why = (
                "the database's role may not create databases, and cases run in one of their own: "
                f'ALTER ROLE "{role}" CREATEDB, or run them with a DATABASE_URL whose role may'
            )
        raise NoDatabase(why) from None


def _drop_leftovers(prefix: str) -> None:
    """Of runs that were killed: databases of ours that nobody holds or is connected to."""
    with connection.creation._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(
            "SELECT datname FROM pg_database d WHERE datname ~ %s AND NOT EXISTS ("
            "SELECT 1 FROM pg_stat_activity a WHERE a.datname = d.datname)",
            [f"^{re.escape(prefix)}[0-9a-f]{{{TOKEN}}}$"],
        )
        for (name,) in cursor.fetchall():
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
            if cursor.fetchone()[0]:
                with suppress(DatabaseError):  # somebody else was quicker
                    cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


@dataclass
class World:
    """A case's people and records by name, and its conversation. `customer` is who writes, or who a stranger claims.

    `before` and `made_before` are what is there without the assistant's doing; `surprises` are steps that did not go as
    the case says.
    """

    conversation: Conversation
    things: dict[str, Customer | Order]
    articles: list[Article] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)
    made_before: dict[str, int] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)

    @property
    def customer(self) -> Customer:
        found = self.things["customer"]
        assert isinstance(found, Customer)
        return found

    def fill(self, text: str) -> str:
        """The text with its placeholders replaced. Raises KeyError for a name that is nothing here."""
        return PLACEHOLDER.sub(lambda match: self.value(match[1]), text)

    def value(self, path: str) -> str:
        """`paid_order` is its number, `paid_order.tracking` its parcel's, `x.y` the field y of x."""
        if path in self.things:
            thing = self.things[path]
            return thing.order_number if isinstance(thing, Order) else thing.name
        name, _, attribute = path.rpartition(".")
        thing = self.things[name]
        if attribute == "tracking" and isinstance(thing, Order):
            return thing.shipments.get().tracking_number
        return written(getattr(thing, attribute))

    def state(self) -> dict[str, str]:
        """Every field that matters of every record, read anew: 'paid_order.status' -> 'paid'."""
        found = {}
        for name, thing in self.things.items():
            thing.refresh_from_db()
            for attribute in WATCHED[type(thing)]:
                found[f"{name}.{attribute}"] = written(getattr(thing, attribute))
        return found

    @property
    def orders(self) -> list[Order]:
        return [thing for thing in self.things.values() if isinstance(thing, Order)]

    def made(self) -> dict[str, int]:
        """How many there are of what can be made."""
        conversation, orders = self.conversation, self.orders
        people = [thing for thing in self.things.values() if isinstance(thing, Customer)]
        tickets = Ticket.objects.filter(conversation=conversation) | Ticket.objects.filter(customer__in=people)
        return {
            "refunds": Refund.objects.filter(order__in=orders).count(),
            "returns": Return.objects.filter(order__in=orders).count(),
            "problems": DeliveryProblem.objects.filter(order__in=orders).count(),
            "tickets": tickets.distinct().count(),
            "escalations": Escalation.objects.filter(conversation=conversation).count(),
            "codes": Verification.objects.filter(conversation=conversation).count(),
        }

    def change(self, changes: Mapping[str, str]) -> None:
        """Something else changes the record; from here on that is how it is expected."""
        state, made = self.state(), self.made()
        for name, what in changes.items():
            thing = self.things.get(name)
            if isinstance(thing, Order):
                change_order(thing, what)
            elif isinstance(thing, Customer):
                change_customer(thing, what)
            else:
                change_article(next(article for article in self.articles if article.title == name), what)
        self.before |= {path: value for path, value in self.state().items() if value != state[path]}
        for noun, number in self.made().items():
            self.made_before[noun] = self.made_before.get(noun, 0) + number - made[noun]

    def secrets(self) -> list[str]:
        """What belongs to somebody else, and must never be in an answer."""
        found = []
        for name, thing in self.things.items():
            if name == "other" and isinstance(thing, Customer):
                found += [thing.name, thing.email, thing.shipping_address.splitlines()[0]]
            elif name.startswith("other.") and isinstance(thing, Order):
                found += list(thing.shipments.values_list("tracking_number", flat=True))
        return found


def written(value: object) -> str:
    """A value as a case writes it: money with two places, true and false in YAML's words."""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def build(case: Case) -> World:
    """Write the case's people, records, articles and conversation."""
    number = next(_numbers)
    things: dict[str, Customer | Order] = {
        "customer": _customer(f"{case.customer}.{number}", NAMES[case.customer], PLANS[case.customer], ADDRESS),
        "other": _customer(f"oscar.{number}", OTHER[0], Plan.FREE, OTHER[1]),
    }
    for record in case.records:
        owner = things["other" if record.startswith("other.") else "customer"]
        assert isinstance(owner, Customer)
        things[record] = make_order(owner, RECORDS[record.removeprefix("other.")])
    customer = things["customer"] if case.customer != "stranger" else None
    assert customer is None or isinstance(customer, Customer)
    conversation, _ = conversation_create(
        channel="chat",
        customer=customer,
        identity="session" if customer else "",
        locale=case.language,
        with_token=True,
    )
    articles = [
        article_save(
            slug=f"case-{number}-{position}",
            title=shelf.title,
            category=shelf.category,
            body=shelf.body,
            status=Article.Status.PUBLISHED,
        )
        for position, shelf in enumerate(case.articles)
    ]
    world = World(conversation, things, articles)
    world.before = world.state()
    return world


def clear(world: World) -> None:
    """Take back what other cases could see, and what no dropped database takes away."""
    for article in world.articles:
        article_delete(article=article)
    for attachment in Attachment.objects.filter(conversation=world.conversation):
        attachment.file.delete(save=False)


def _customer(name: str, full_name: str, plan: str, street: str) -> Customer:
    return Customer.objects.create(
        email=f"{name}@example.com", name=full_name, plan=plan, shipping_address=f"{full_name}\n{street}"
    )
