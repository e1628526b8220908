"""Every column with text in it: what becomes of it when somebody is erased, or why it holds nothing of anybody.

A test walks all models: a new column of text, JSON, bytes or files that stands in neither table fails it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Case, F, Model, Value, When

from support_agent.models import (
    Alert,
    AlertDelivery,
    ConversationMemory,
    EvalResult,
    EvalRun,
    GapQuestion,
    Replay,
    SavedCase,
    SpotLabel,
    Step,
    Task,
    ToolCall,
    Turn,
)
from support_agent.models.limits import Spend
from support_agent.privacy.blank import ERASED, blank
from tickets.markdown import render
from tickets.models import (
    Action,
    ArticleFeedback,
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
    ShipmentEvent,
    Survey,
    ThreadLink,
    Ticket,
    TicketComment,
    User,
    Verification,
    WebhookDelivery,
)


@dataclass(frozen=True)
class Table:
    """Rows found by `owner`, a lookup to whom they belong; `fields` says what is written, a function is handed the old
    value, nothing at all (`deletes`) means that the rows go."""

    model: type[Model]
    owner: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    deletes: tuple[str, ...] = ()  # the columns that go with their rows

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.fields, *self.deletes)

    @property
    def made(self) -> dict[str, Callable[[Any], Any]]:
        """The columns whose new value follows from the old one."""
        return {name: value for name, value in self.fields.items() if callable(value)}

    @property
    def written(self) -> dict[str, Any]:
        return {name: value for name, value in self.fields.items() if not callable(value)}


# In this order, under the conversation's lock.
OF_A_CONVERSATION = (
    Table(Attachment, "conversation", deletes=("name", "file")),
    Table(
        Message,
        "conversation",
        {
            "text": ERASED,
            "html": render(ERASED),
            "attachments": [],
            "cards": [],
            "author": Case(When(role=Message.Role.CUSTOMER, then=Value("")), default=F("author")),
        },
    ),
    Table(Event, "conversation", {"payload": blank}),
    Table(Feedback, "message__conversation", {"reason": ""}),
    Table(Survey, "conversation", {"comment": ""}),
    Table(Note, "conversation", {"text": ERASED}),
    Table(Promise, "conversation", {"text": ERASED}),
    Table(Escalation, "conversation", {"summary": ERASED}),
    Table(
        Action,
        "conversation",
        {"arguments": {}, "summary": ERASED, "preview": {}, "receipt": {}, "undo_data": {}, "error": ""},
    ),
    Table(Effect, "action__conversation", {"last_error": ""}),
    Table(Verification, "conversation", deletes=("email",)),
    Table(ThreadLink, "conversation", deletes=("email",)),
    Table(Replay, "turn__conversation", {"text": "", "sources": [], "steps": blank, "notes": [ERASED], "error": ""}),
    Table(SavedCase, "turn__conversation", deletes=("name", "yaml")),
    Table(GapQuestion, "conversation", deletes=("text", "vector")),
    Table(SpotLabel, "spot_check__turn__conversation", {"note": ""}),
    Table(Task, "about", {"task": ERASED, "result": ""}),
    Table(Task, "turn__conversation", {"task": ERASED, "result": ""}),
    Table(Step, "turn__conversation", {"input": {}, "output": {}, "error": ""}),
    Table(ToolCall, "conversation", {"arguments": {}, "result": {}}),
    Table(Turn, "conversation", {"checkpoint": None, "topic": "", "error": ""}),
    Table(ConversationMemory, "conversation", deletes=("summary", "facts")),
    Table(WebhookDelivery, "conversation", deletes=("payload", "error")),
    Table(Conversation, "pk", {"topic": "", "metadata": {}, "token_hash": ""}),
)
OF_A_TICKET = (
    Table(TicketComment, "ticket", {"body": ERASED}),
    Table(WebhookDelivery, "ticket", deletes=("payload", "error")),
    Table(Ticket, "pk", {"subject": ERASED, "body": ERASED, "contact_email": ""}),
)
# Numbers, amounts and dates stay: the tax office may ask for seven years.
OF_A_CUSTOMER = (
    Table(Order, "customer", {"shipping_address": ERASED, "note": ""}),
    Table(ShipmentEvent, "shipment__order__customer", {"location": "", "description": ERASED}),
    Table(Return, "order__customer", {"reason": ERASED}),
    Table(Refund, "order__customer", {"reason": ERASED}),
    Table(Task, "customer", {"task": ERASED, "result": ""}),
    Table(ImportedRecord, "customer", deletes=("digest", "left")),
    Table(ImportedRecord, "order__customer", deletes=("digest", "left")),
)
# Written or deleted by steps of their own in privacy.erase, last of all; results of saved cases in privacy.results.
BY_HAND = {
    Conversation: ("contact_email", "address_hash"),
    Customer: ("external_id", "email", "name", "phone", "shipping_address"),
    User: ("username", "first_name", "last_name", "email", "password"),
    DemoMail: ("to", "reply_to", "subject", "body"),
    AuditValue: ("before", "after"),
    LogEntry: ("object_repr", "change_message"),
    Session: ("session_key", "session_data"),
    Spend: ("key",),
    Alert: ("key", "subject", "text", "details", "causes"),
    AlertDelivery: ("error",),
    EvalResult: ("case", "written", "said", "failures"),
    EvalRun: ("suite",),
}
TABLES = (*OF_A_CONVERSATION, *OF_A_TICKET, *OF_A_CUSTOMER)

OURS = "drawn or computed by us; says nothing of anybody"
CHOICE = "one of a few words of ours"
STAFF = "of staff, not of customers"
SHOP = "the shop's own content"
FIGURES = "sums over everybody"
HASH = "ids and a hash"
RESERVED = "ids and keyed hashes, gone when the call is paid"
TAX = "kept pseudonymised: tax law asks for it"

# `app.Model.field`, or `app.Model.*` for all the others of a model: why it stays.
KEPT = {
    "account.EmailAddress.*": "never written: a part of allauth we do not use",
    "account.EmailConfirmation.*": "never written: a part of allauth we do not use",
    "mfa.Authenticator.*": "of staff; secrets are encrypted by SECRET_KEY",
    "socialaccount.SocialAccount.*": STAFF,
    "socialaccount.SocialApp.*": "never written: the provider comes from the environment",
    "socialaccount.SocialToken.*": "never written: no token of the provider is kept",
    "usersessions.UserSession.*": "addresses and browsers of staff; 30 days after the last use they go",
    "admin.LogEntry.object_id": OURS,
    "admin.LogEntry.*": OURS,
    "auth.Group.*": STAFF,
    "auth.Permission.*": OURS,
    "contenttypes.ContentType.*": OURS,
    "django_rq.*": OURS,
    "support_agent.Alert.*": CHOICE,
    "support_agent.AlertDelivery.*": CHOICE,
    "support_agent.AlertRoute.*": STAFF,
    "support_agent.ApiKey.*": STAFF,
    "support_agent.EvalResult.tools": "names of ours",
    "support_agent.EvalResult.*": "choices, names of ours, a hash",
    "support_agent.EvalRun.prompts": "names and numbers of versions",
    "support_agent.EvalRun.thresholds": "shares",
    "support_agent.EvalRun.summary": "figures by theme",
    "support_agent.EvalRun.error": "why it could not be run, a line of ours",
    "support_agent.EvalRun.*": OURS,
    "support_agent.BlastRadius.draft": SHOP,
    "support_agent.BlastRadius.error": "a sentence of ours, with a member of staff's name at most",
    "support_agent.BlastRadius.*": CHOICE,
    "support_agent.Draft.*": CHOICE,
    "support_agent.Gap.*": "choices, ids of conversations, titles and addresses of articles",
    "support_agent.GapQuestion.*": CHOICE,
    "support_agent.Heartbeat.*": "a process of ours",
    "support_agent.McpServer.*": STAFF,
    "support_agent.McpTool.*": "written by staff, or listed by a server as its own",
    "support_agent.PolicyReport.*": "kinds of refusals of browsers, without queries and ids",
    "support_agent.PromptVersion.*": STAFF,
    "support_agent.Replay.reservation": RESERVED,
    "support_agent.Replay.*": CHOICE,
    "support_agent.RollupMark.*": OURS,
    "support_agent.Spend.*": OURS,
    "support_agent.SpotCheck.*": CHOICE,
    "support_agent.SpotLabel.*": CHOICE,
    "support_agent.Step.*": CHOICE,
    "support_agent.StepDay.*": FIGURES,
    "support_agent.StepHour.*": FIGURES,
    "support_agent.SurfaceLimit.*": CHOICE,
    "support_agent.SurfaceMode.*": STAFF,
    "support_agent.Switch.*": STAFF,
    "support_agent.SystemLimit.*": CHOICE,
    "support_agent.TallyDay.*": FIGURES,
    "support_agent.TallyHour.*": FIGURES,
    "support_agent.Task.*": CHOICE,
    "support_agent.ToolCall.idempotency_key": HASH,
    "support_agent.ToolCall.*": "names of ours, the model's ids",
    "support_agent.Turn.reservation": RESERVED,
    "support_agent.Turn.tools_offered": "names of ours",
    "support_agent.Turn.*": CHOICE,
    "support_agent.TurnDay.topic": "joins the sums without one when no turn has it any more (privacy.topics)",
    "support_agent.TurnHour.topic": "joins the sums without one when no turn has it any more (privacy.topics)",
    "support_agent.TurnDay.*": FIGURES,
    "support_agent.TurnHour.*": FIGURES,
    "tickets.Action.idempotency_key": HASH,
    "tickets.Action.*": CHOICE,
    "tickets.Article.*": SHOP,
    "tickets.ArticleFeedback.comment": "without what names a person, and tied to nobody; goes after a year",
    "tickets.ArticleSection.*": SHOP,
    "tickets.ArticleTranslation.*": SHOP,
    "tickets.Attachment.content_type": CHOICE,
    "tickets.AuditEntry.*": "ids and names of fields: who did what to which record stays for good",
    "tickets.AuditValue.field": "a field's name",
    "tickets.CannedReply.*": SHOP,
    "tickets.Conversation.*": CHOICE,
    "tickets.Customer.*": CHOICE,
    "tickets.DeliveryProblem.*": CHOICE,
    "tickets.DemoMail.sender": "the shop's own address",
    "tickets.ErasureRequest.*": "a keyed hash and counts: what shows that it was done",
    "tickets.Escalation.passed_by": STAFF,
    "tickets.Escalation.*": CHOICE,
    "tickets.Event.type": CHOICE,
    "tickets.Feedback.cause": CHOICE,
    "tickets.ImportedArticle.*": SHOP,
    "tickets.Effect.key": HASH,
    "tickets.Effect.approved_by": STAFF,
    "tickets.Effect.*": CHOICE,
    "tickets.Invoice.*": TAX,
    "tickets.Job.*": "names of ours, and ids",
    "tickets.Message.role": CHOICE,
    "tickets.Message.sources": "titles and addresses of articles",
    "tickets.Order.*": TAX,
    "tickets.OrderLine.*": TAX,
    "tickets.Product.*": SHOP,
    "tickets.Promise.*": "a choice, or a kind and an id",
    "tickets.Refund.*": CHOICE,
    "tickets.Resolution.*": CHOICE,
    "tickets.Retention.*": CHOICE,
    "tickets.Return.*": TAX,
    "tickets.SearchIndex.*": SHOP,
    "tickets.SearchTerm.*": SHOP,
    "tickets.TranslatedTerm.*": SHOP,
    "tickets.Workspace.*": SHOP,
    "tickets.Shipment.*": "parcel numbers, for claims against the carrier",
    "tickets.StaffProfile.*": STAFF,
    "tickets.Survey.state": CHOICE,
    "tickets.Team.*": STAFF,
    "tickets.ThreadLink.token_hash": "a hash; goes with its row",
    "tickets.Ticket.idempotency_key": HASH,
    "tickets.Ticket.*": "a number, choices",
    "tickets.Webhook.*": STAFF,
    "tickets.WebhookDelivery.*": CHOICE,
    "tickets.Verification.code_hash": "a hash; goes with its row",
    "tickets.Verification.*": CHOICE,
}
# Where staff and alerts may have written about somebody in rows that are not theirs: the address itself is taken out.
MAY_NAME: tuple[tuple[type[Model], str], ...] = (
    *((table.model, name) for table in TABLES for name in table.fields),
    (Alert, "text"),
    (Alert, "details"),
    (Alert, "causes"),
    (AlertDelivery, "error"),
    (LogEntry, "object_repr"),
    (LogEntry, "change_message"),
    (SavedCase, "yaml"),
    (EvalResult, "written"),
    (EvalResult, "said"),
    (EvalResult, "failures"),
    (DemoMail, "subject"),
    (DemoMail, "body"),
    (ArticleFeedback, "comment"),
)
