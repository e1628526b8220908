"""One world for a whole module: the cast, a conversation of each kind of customer with all that may hang on one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from support_agent.chat.visitors import SESSION_KEY
from support_agent.models import (
    Alert,
    AlertRoute,
    ApiKey,
    BlastRadius,
    EvalResult,
    EvalRun,
    Gap,
    PromptVersion,
    Replay,
    RunState,
    SavedCase,
    SpotCheck,
    Task,
    Turn,
)
from tests.cast import Cast, make_cast
from tickets.models import (
    Action,
    Article,
    Attachment,
    Conversation,
    Customer,
    Effect,
    Message,
    Promise,
    Return,
    Shipment,
    Ticket,
    User,
)
from tickets.services.actions import token_of
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_assistant, message_post
from tickets.services.thread_links import link_make, link_token

MISSING = "00000000-0000-4000-8000-00000000dead"


@dataclass(frozen=True)
class Actor:
    """Who asks: what its browser or program sends with each request, and whose things it asks about."""

    name: str
    cookie: str = ""
    bearer: str = ""
    place: str = "anon"
    """The place that this actor's requests are about; `foreign` ones are about it too, and not the actor's own."""


@dataclass(frozen=True)
class Place:
    """One conversation, and the ids of what hangs on it, by the names the addresses use."""

    conversation: Conversation
    token: str
    ids: dict[str, str]
    click: str
    """The token of the click on its action."""


@dataclass(frozen=True)
class World:
    cast: Cast
    places: dict[str, Place]
    actors: dict[str, Actor]
    ids: dict[str, str]
    """The ids of what belongs to no conversation."""


@contextmanager
def lasting(blocker: DjangoDbBlocker) -> Iterator[World]:
    """The world for as long as this is entered; then everything is rolled back."""
    with blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


def make_world() -> World:
    cast = make_cast()
    line = cast.foreign.lines.get(sku="LAN-01-BLK")  # an article of this order alone
    line.sku = "SEC-1X-RET"
    line.save()
    Shipment.objects.create(
        order=cast.delivered, tracking_number="ALD1000000233", carrier="Cascade Post", status="delivered"
    )
    places = {
        "anon": make_place(cast, None),
        "anon_b": make_place(cast, None),
        "customer": make_place(cast, cast.owner),
        "customer_b": make_place(cast, cast.other),
    }
    version = PromptVersion.objects.create(name="memory", number=1, text="Shorten.", made_by=cast.ops)
    for name, place in places.items():  # a task's own key decides; that of the owner's is asked for by ops
        asked_by = cast.ops if name in ("anon", "customer") else cast.admin
        place.ids["version"] = str(version.pk)
        place.ids["task"] = str(_task(asked_by, None).pk)
    return World(cast, places, _actors(cast, places), loose_ids(cast, places["customer"]))


def make_place(cast: Cast, customer: Customer | None) -> Place:
    conversation, token = conversation_create(
        channel="chat", customer=customer, identity="session" if customer else "", with_token=True
    )
    message, _ = message_post(conversation=conversation, client_message_id=uuid.uuid4(), text="Where is my tent?")
    turn = Turn.objects.create(
        conversation=conversation, surface="signed_in", state="answered", finished_at=timezone.now()
    )
    answer = message_assistant(conversation=conversation, text="It is on its way.", turn_id=turn.pk)
    action = _action(conversation, customer or cast.business, turn)
    ticket = Ticket.objects.create(
        number=f"T-{conversation.reference}", customer=customer, subject="Zip", body="Broken", category="product"
    )
    ticket.linked.add(conversation)
    promise = Promise.objects.create(conversation=conversation, text="Call back.", due_at=timezone.now())
    conversation.refresh_from_db()
    ids = {
        "number": _return(cast, customer),
        "conversation_id": conversation.pk,
        "turn_id": turn.pk,
        "action_id": action.pk,
        "effect_id": Effect.objects.create(action=action, key=str(action.pk), deadline_at=timezone.now()).pk,
        "attachment_id": _attachment(conversation).pk,
        "message_id": answer.pk,
        "said_id": message.pk,
        "ticket_id": ticket.pk,
        "promise_id": promise.pk,
        "task_id": _task(cast.lead, conversation).pk,
        "link": _link(conversation, customer),
    }
    return Place(conversation, token, {name: str(value) for name, value in ids.items()}, token_of(action))


def _action(conversation: Conversation, customer: Customer, turn: Turn) -> Action:
    return Action.objects.create(
        conversation=conversation,
        customer=customer,
        turn_id=turn.pk,
        idempotency_key=f"matrix-{conversation.pk}",
        tool="update_customer",
        arguments={"field": "name", "value": "Eve"},
        summary="Change your name",
        expires_at=timezone.now() + timedelta(minutes=10),
    )


def _return(cast: Cast, customer: Customer | None) -> str:
    """The number of a return of the customer's, if they have an order that could come back."""
    order = {cast.owner: cast.delivered, cast.other: cast.foreign}.get(customer or cast.business)
    if order is None:
        return "R-000000"
    return Return.objects.create(number=f"R-{order.order_number[3:]}", order=order, reason="Too large").number


def _link(conversation: Conversation, customer: Customer | None) -> str:
    """The token of a link from an e-mail back into the thread."""
    email = customer.email if customer else f"{conversation.reference.lower()}@example.com"
    Conversation.objects.filter(pk=conversation.pk).update(contact_email=email)
    return link_token(link_make(conversation=conversation, email=email, upto_seq=1))


def _attachment(conversation: Conversation) -> Attachment:
    attachment = Attachment(conversation=conversation, name="photo.png", content_type="image/png", size=4)
    attachment.file.save("", ContentFile(b"\x89PNG"), save=False)
    attachment.save()
    return attachment


def _task(user: User, about: Conversation | None) -> Task:
    turn_of = Task.Purpose.DRAFT if about else Task.Purpose.API
    return Task.objects.create(
        purpose=turn_of, about=about, requested_by=user, task="Look", budget_usd=Decimal("1.00"), state="done"
    )


def loose_ids(cast: Cast, place: Place) -> dict[str, str]:
    turn = Turn.objects.get(pk=place.ids["turn_id"])
    replay = Replay.objects.create(turn=turn, asked_by=cast.ops, state=Replay.State.DONE)
    radius = BlastRadius.objects.create(
        kind=BlastRadius.Kind.TOOL, tool="lookup_order", asked_by=cast.ops, state="done"
    )
    case = SavedCase.objects.create(name="matrix", yaml="- id: matrix\n", turn=turn, made_by=cast.ops)
    check, _ = SpotCheck.objects.get_or_create(turn=turn)
    run = EvalRun.objects.create(asked_by=cast.ops, state=RunState.DONE, total=1)
    result = EvalResult.objects.create(run=run, case="matrix", suite="orders", status=EvalResult.Status.PASSED)
    alert = Alert.objects.create(kind="budget_hour", key="matrix", text="Much was spent.")
    route = AlertRoute.objects.create(kind=AlertRoute.Kind.EMAIL, target="ops@example.com")
    article = Article.objects.create(
        slug="tents", title="Tents", summary="About tents.", body="Tents.", category="product", status="published"
    )
    gap = Gap.objects.create()
    gap.questions.create(
        turn=turn, conversation_id=place.ids["conversation_id"], text="Do you rent tents?", why="nothing",
        asked_at=timezone.now(), vector=b"", embedder="none",
    )  # fmt: skip
    return {
        "gap_id": str(gap.pk),
        "replay_id": str(replay.pk),
        "radius_id": str(radius.pk),
        "case_id": str(case.pk),
        "run_id": str(run.pk),
        "eval_result_id": str(result.pk),
        "case": "matrix",
        "alert_id": str(alert.pk),
        "check_id": str(check.pk),
        "route_id": str(route.pk),
        "key": place.ids["turn_id"],
        "help": article.slug,
        "message": str(Message.objects.filter(conversation=place.conversation).earliest("seq").pk),
    }


def _actors(cast: Cast, places: dict[str, Place]) -> dict[str, Actor]:
    people = {"customer": cast.owner_user, "customer_b": cast.other_user}
    staff = {"agent": cast.agent, "lead": cast.lead, "ops": cast.ops, "admin": cast.admin}
    made = [
        Actor("stranger"),
        Actor("anon", cookie=browser_of(None, places["anon"])),
        Actor("anon_b", cookie=browser_of(None, places["anon_b"])),
        *[Actor(name, cookie=browser_of(user, places[name]), place="customer") for name, user in people.items()],
        *[Actor(name, cookie=browser_of(user), place="customer") for name, user in staff.items()],
        Actor("token", bearer=places["anon"].token),
        Actor("token_b", bearer=places["anon_b"].token),
        Actor("key", bearer=new_key(cast.ops)),
    ]
    return {actor.name: actor for actor in made}


def browser_of(user: User | None, *began: Place) -> str:
    """The session cookie of a browser: signed in or not, with the conversations it began."""
    client = Client()
    if user is not None:
        client.force_login(user)
    session = client.session
    session[SESSION_KEY] = [str(place.conversation.pk) for place in began]
    session.save()
    return str(session.session_key)


def new_key(user: User) -> str:
    raw = ApiKey.new_key()
    ApiKey.objects.create(user=user, name="matrix", key_hash=ApiKey.hash(raw))
    return raw
