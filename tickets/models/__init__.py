"""The support desk's records."""

from tickets.models.actions import Action
from tickets.models.attachments import Attachment
from tickets.models.audit import AuditEntry, AuditValue
from tickets.models.conversations import Conversation, Event, Message, Promise, Verification
from tickets.models.customers import Customer, Invoice, Plan
from tickets.models.knowledge import Article, ArticleSection, SearchIndex, SearchTerm
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
from tickets.models.staff import Availability, Role, StaffProfile, Team, User
from tickets.models.surveys import Feedback, Survey
from tickets.models.tickets import Escalation, EscalationReason, Ticket, TicketComment

__all__ = [
    "Action",
    "Article",
    "ArticleSection",
    "Attachment",
    "AuditEntry",
    "AuditValue",
    "Availability",
    "Conversation",
    "Customer",
    "DeliveryProblem",
    "DemoMail",
    "Escalation",
    "EscalationReason",
    "Event",
    "Feedback",
    "Invoice",
    "Message",
    "Order",
    "OrderLine",
    "Plan",
    "Product",
    "Promise",
    "Refund",
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
    "Ticket",
    "TicketComment",
    "User",
    "Verification",
]
