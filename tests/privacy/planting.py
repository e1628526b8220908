"""Canaries: a row in every table with personal columns, and words in each that are nowhere else."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import BinaryField, JSONField, Model
from django.utils import timezone

from support_agent.models import (
    Alert,
    AlertDelivery,
    AlertRoute,
    ConversationMemory,
    EvalResult,
    EvalRun,
    Gap,
    Replay,
    SavedCase,
    SpotCheck,
    SpotLabel,
    Step,
    Task,
    ToolCall,
    Turn,
)
from support_agent.models.limits import Spend
from support_agent.privacy.tables import BY_HAND, TABLES
from tests.cast import Cast
from tickets.ids import new_id
from tickets.models import (
    Action,
    Attachment,
    AuditValue,
    Conversation,
    Customer,
    DemoMail,
    Effect,
    Escalation,
    Event,
    Feedback,
    ImportedRecord,
    Message,
    Note,
    Order,
    Promise,
    Refund,
    Return,
    Shipment,
    ShipmentEvent,
    Survey,
    ThreadLink,
    Ticket,
    TicketComment,
    User,
    Verification,
    Webhook,
    WebhookDelivery,
)
from tickets.services.audit import audit
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_post, message_system

EMAIL = "canary.person@example.com"
WORD = "kanarie"
COLUMNS = {(model, name) for model, names in BY_HAND.items() for name in names} | {
    (table.model, name) for table in TABLES for name in table.columns
}
BY_OTHERS = {  # planted where the row is made: what rows are found by, what only the product may write, files
    (AuditValue, "before"), (AuditValue, "after"), (Spend, "key"), (Alert, "key"), (Conversation, "address_hash"),
    (Session, "session_key"), (Session, "session_data"), (Attachment, "file"), (Customer, "email"), (User, "email"),
    (DemoMail, "to"), (EvalResult, "case"), (EvalRun, "suite"),
}  # fmt: skip
OWNER = "olivia.owner@example.com"
THEIRS: dict[type[Model], dict[str, str]] = {
    Customer: {"email": OWNER},
    User: {"email": OWNER},
    Order: {"customer__email": OWNER},
    DemoMail: {"to": EMAIL},
    Message: {"role": "customer"},
}


def plant(cast: Cast) -> Conversation:
    """The owner becomes the person of the canaries: everything they could have left behind, once."""
    conversation = _rows(cast)
    for model, name in sorted(COLUMNS - BY_OTHERS, key=str):
        _write(model, name)
    Customer.objects.filter(pk=cast.owner.pk).update(email=EMAIL)
    User.objects.filter(pk=cast.owner_user.pk).update(email=EMAIL)
    return conversation


def canaries() -> list[str]:
    """Where in the whole database one sits."""
    return places_of(WORD, EMAIL)


def places_of(*needles: str) -> list[str]:
    """Every column, of every table there is, that holds one of these."""
    like = [f"%{needle}%" for needle in needles]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns "
            "JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY table_name"
        )
        found = []
        for table, columns in cursor.fetchall():
            counted = ", ".join(f'count(*) FILTER (WHERE "{column}"::text ILIKE ANY(%s))' for column in columns)
            cursor.execute(f'SELECT {counted} FROM "{table}"', [like] * len(columns))
            counts = zip(columns, cursor.fetchone(), strict=True)
            found += [f"{table}.{column} ({number})" for column, number in counts if number]
    return sorted(found)


def _write(model: type[Model], name: str) -> None:
    """A canary in this column of the person's rows; in most tables there are no others."""
    field: Any = model._meta.get_field(name)
    word = f"{WORD}-{model._meta.model_name}-{name}"[: getattr(field, "max_length", None) or 200]
    value: Any = {"words": word} if isinstance(field, JSONField) else EMAIL if name.endswith("email") else word
    if isinstance(field, BinaryField):
        value = word.encode()
    model._default_manager.filter(**THEIRS.get(model, {})).update(**{name: value})


def _rows(cast: Cast) -> Conversation:
    owner, now = cast.owner, timezone.now()
    conversation, _ = conversation_create(channel="chat", customer=owner, identity="session", with_token=True)
    of: dict[str, Any] = {"conversation": conversation}
    Conversation.objects.filter(pk=conversation.pk).update(address_hash=f"{WORD}-address")
    turn = Turn.objects.create(**of, surface="signed_in", state="running", started_at=now)
    message, _ = message_post(**of, client_message_id=new_id(), text="Where is it?", turn_id=turn.pk)
    message_system(**of, text="A line of ours.")
    Event.objects.filter(**of, seq=2).update(type="promise")
    action = Action.objects.create(
        **of, customer=owner, idempotency_key="a", tool="request_return", arguments={}, summary="s", expires_at=now
    )
    attachment = Attachment(**of, message=message, name="a.png", content_type="image/png", size=3)
    attachment.file.save("", ContentFile(WORD.encode()), save=False)
    attachment.save(force_insert=True)
    Step.objects.create(turn=turn, index=0, kind="plan")
    ToolCall.objects.create(
        turn=turn, **of, tool="lookup_order", tool_use_id="t", arguments={}, idempotency_key="t", status="success"
    )
    Replay.objects.create(turn=turn, state="done", finished_at=now)
    SavedCase.objects.create(name="c", yaml="", turn=turn)
    case = f"{WORD}-savedcase-name"  # what it is called in the end
    run = EvalRun.objects.create(suite=case, state="done", finished_at=now)
    EvalResult.objects.create(run=run, case=case, suite="saved", status="failed")
    SpotLabel.objects.create(spot_check=SpotCheck.objects.create(turn=turn), staff=cast.agent, needs_person=False)
    ConversationMemory.objects.create(**of, summary="", upto_seq=1)
    Task.objects.create(about=conversation, task="t", budget_usd=1, state="done")
    Feedback.objects.create(message=message, helpful=True)
    Survey.objects.create(**of)
    Note.objects.create(**of, author=cast.agent, text="t", after_seq=1)
    Promise.objects.create(**of, text="t", due_at=now)
    Escalation.objects.create(**of, reason="asked", team=cast.team, due_at=now)
    Verification.objects.create(**of, email=EMAIL, code_hash="h", expires_at=now)
    ThreadLink.objects.create(**of, token_hash="h", email=EMAIL, upto_seq=1, expires_at=now)
    ticket = Ticket.objects.create(number="T-1", customer=owner, subject="s", body="b", category="billing")
    TicketComment.objects.create(ticket=ticket, author=cast.agent, body="b")
    hook = Webhook.objects.create(name="h", url="https://hooks.example/", events=["ticket.created"])
    for about in (of, {"ticket": ticket}):
        WebhookDelivery.objects.create(webhook=hook, event_id=new_id(), type="ticket.created", payload={}, **about)
    ImportedRecord.objects.create(customer=owner, digest="d")
    ImportedRecord.objects.create(order=cast.delivered, digest="d")
    Effect.objects.create(action=action, key="e", state="done", deadline_at=now, settled_at=now)
    Gap.objects.create().questions.create(
        turn=turn, **of, text="t", why="nothing", asked_at=now, vector=b"", embedder="none"
    )
    Return.objects.create(number="R-1", order=cast.delivered, reason="r", action=action)
    Refund.objects.create(order=cast.delivered, amount=1, reason="r")
    shipment = Shipment.objects.create(order=cast.delivered, tracking_number="ALD1", carrier="c")
    ShipmentEvent.objects.create(shipment=shipment, at=now, description="d")
    DemoMail.objects.create(to=EMAIL, sender="shop@example.com", subject="s", body="b")
    DemoMail.objects.create(to="staff@example.com", sender="s", subject=conversation.reference, body=WORD)
    audit(actor=cast.lead, action="customer.change", obj=owner, changes={"name": (f"{WORD}-was", f"{WORD}-is")})
    audit(actor=cast.lead, action="note.add", obj=Note.objects.get(), changes={"text": ("", f"{WORD}-note")})
    LogEntry.objects.create(
        user=cast.admin,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(owner.pk),
        object_repr="r",
        action_flag=CHANGE,
    )
    session = SessionStore()
    session.update({"_auth_user_id": str(owner.user_id), "said": WORD})
    session.create()
    Spend.objects.create(scope="address", key=f"{WORD}-address", period=f"{now:%Y-%m-%d}")
    alert = Alert.objects.create(kind="budget", key=f"address:{WORD}-address:today", text="t")
    route = AlertRoute.objects.create(kind="staff", target="ops and admin")
    AlertDelivery.objects.create(alert=alert, route=route, due_at=now)
    return conversation
