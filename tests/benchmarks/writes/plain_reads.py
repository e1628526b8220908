"""What a turn must have read before its first call, as one asks the ORM for it."""

from __future__ import annotations

from datetime import UTC, datetime

from support_agent.models import (
    ConversationMemory,
    PromptVersion,
    SurfaceLimit,
    SurfaceMode,
    Switch,
    SystemLimit,
    ToolCall,
    Turn,
)
from support_agent.models.limits import Spend
from support_agent.runtime.history import MAX_EVIDENCE, article_score_of
from support_agent.runtime.memories import MAX_MESSAGES
from tickets.audience import readers_of
from tickets.languages import language_of
from tickets.models import Action, Conversation, Customer, Message, Workspace


def read_all(turn: Turn, text: str) -> None:
    """What `READS` lists, and the best article for these words by the product's own search."""
    conversation = Conversation.objects.get(pk=turn.conversation_id)
    assert conversation.customer_id is not None
    customer = Customer.objects.get(pk=conversation.customer_id)
    list(Message.objects.filter(conversation=conversation).order_by("-seq")[:MAX_MESSAGES])
    list(Action.objects.filter(conversation=conversation).order_by("-created_at")[:5])
    list(ToolCall.objects.filter(conversation=conversation).order_by("-created_at")[:MAX_EVIDENCE])
    ConversationMemory.objects.filter(pk=conversation.pk).first()
    Turn.objects.filter(conversation=conversation, created_at__lt=turn.created_at).order_by("-created_at").first()
    list(Switch.objects.all())
    list(SurfaceMode.objects.all())
    SurfaceLimit.objects.filter(surface=turn.surface).first()
    SystemLimit.objects.first()
    list(PromptVersion.objects.filter(is_active=True))
    Workspace.objects.first()
    now = datetime.now(UTC)
    Spend.objects.filter(scope="conversation", key=str(conversation.pk)).first()
    Spend.objects.filter(scope="customer", key=str(customer.pk), period=now.date().isoformat()).first()
    Spend.objects.filter(scope="system", key="all", period=now.strftime("%Y%m%d%H")).first()
    article_score_of(text, readers_of(customer), language_of(conversation.locale))
