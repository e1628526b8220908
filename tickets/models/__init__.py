"""The support desk's records."""

from tickets.models.actions import Action
from tickets.models.attachments import Attachment
from tickets.models.audit import AuditEntry, AuditValue
from tickets.models.conversations import Conversation, Event, Message, Promise, Verification
from tickets.models.customers import Customer, Invoice, Plan
from tickets.models.effects import Effect
from tickets.models.imports import ImportedArticle, ImportedRecord
from tickets.models.inbox import CannedReply, Mention, Note, ReadMark
from tickets.models.jobs import Job
from tickets.models.knowledge import Article, ArticleFeedback, ArticleSection, SearchIndex, SearchTerm
from tickets.models.mail import DemoMail
from tickets.models.orders import (
    DeliveryProblem,
    Order,
    OrderLine,
    Product,
    Refund,
    Return,
    ReturnLine,
    Shipment,
    ShipmentEvent,
)
from tickets.models.outcomes import Resolution, ThreadLink
from tickets.models.privacy import ErasureRequest, Retention
from tickets.models.staff import Availability, Role, StaffProfile, Team, User
from tickets.models.surveys import Feedback, Survey
from tickets.models.tickets import NOT_OURS, Escalation, EscalationReason, Ticket, TicketComment
from tickets.models.translations import ArticleTranslation, Language, TranslatedTerm
from tickets.models.webhooks import Webhook, WebhookDelivery, WebhookEvent
from tickets.models.workspace import Workspace

__all__ = [
    "NOT_OURS",
    "Action",
    "Article",
    "ArticleFeedback",
    "ArticleSection",
    "ArticleTranslation",
    "Attachment",
    "AuditEntry",
    "AuditValue",
    "Availability",
    "CannedReply",
    "Conversation",
    "Customer",
    "DeliveryProblem",
    "DemoMail",
    "Effect",
    "ErasureRequest",
    "Escalation",
    "EscalationReason",
    "Event",
    "Feedback",
    "ImportedArticle",
    "ImportedRecord",
    "Invoice",
    "Job",
    "Language",
    "Mention",
    "Message",
    "Note",
    "Order",
    "OrderLine",
    "Plan",
    "Product",
    "Promise",
    "ReadMark",
    "Refund",
    "Resolution",
    "Retention",
    "Return",
    "ReturnLine",
    "Role",
    "SearchIndex",
    "SearchTerm",
    "Shipment",
    "ShipmentEvent",
    "StaffProfile",
    "Survey",
    "Team",
    "ThreadLink",
    "Ticket",
    "TicketComment",
    "TranslatedTerm",
    "User",
    "Verification",
    "Webhook",
    "WebhookDelivery",
    "WebhookEvent",
    "Workspace",
]
