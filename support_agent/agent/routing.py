"""Which path a turn takes, which model tier answers, and which tools it may use: at most 7, fixed for the turn."""

from __future__ import annotations

import re
from types import MappingProxyType

from support_agent.agent.types import Plan, Tier, TurnInput

READ = (
    "search_knowledge_base",
    "lookup_customer",
    "lookup_order",
    "track_shipment",
    "verify_identity",
    "create_ticket",
    "escalate_to_human",
)
TOOLSETS = MappingProxyType(
    {
        "read": READ,
        "orders": (
            "search_knowledge_base",
            "lookup_order",
            "request_return",
            "cancel_order",
            "report_delivery_problem",
            "create_ticket",
            "escalate_to_human",
        ),
        "billing": (
            "search_knowledge_base",
            "lookup_customer",
            "lookup_order",
            "request_refund",
            "verify_identity",
            "create_ticket",
            "escalate_to_human",
        ),
        "account": (
            "search_knowledge_base",
            "lookup_customer",
            "lookup_order",
            "verify_identity",
            "update_customer",
            "create_ticket",
            "escalate_to_human",
        ),
        "technical": READ,
    }
)
TIERS = MappingProxyType({"simple": Tier.SMALL, "medium": Tier.MEDIUM, "complex": Tier.LARGE})
NEXT_TIER = MappingProxyType({Tier.SMALL: Tier.MEDIUM, Tier.MEDIUM: Tier.LARGE})

_SMALL_TALK = re.compile(
    r"((hi+|hello|hey+|good (morning|afternoon|evening))( there| all| team)?"
    r"|thanks?( you)?( (so|very) much)?|thx|ty|cheers|great,? thanks?"
    r"|ok(ay)?,? thanks?|bye|goodbye|see you)[\s!.,:)]*",
    re.IGNORECASE,
)
_WHERE = re.compile(r"\b(where('?s| is| are)?|track(ing)?|status|arriv\w*|when (will|does|is)|eta)\b", re.IGNORECASE)
_CHANGE = re.compile(
    r"\b(cancel|return|refund|exchange|replace|chang|updat|money back|damag|broken|wrong|missing|lost|late|never"
    r"|complain|angry|ridiculous|unacceptable|person|human|someone|lawyer|chargeback)\w*",
    re.IGNORECASE,
)
SURE_ARTICLE = 0.8
# A question about how things are, not about the customer's own order, and no wish to change anything.
_GENERAL = re.compile(r"^\W*(what|how|which|who|do|does|can|is|are|where can|when do|why)\b.*\?*\s*$", re.IGNORECASE)
_OWN = re.compile(
    r"\b(my|mine|i (want|need|would|have|ordered|bought|got|received|did|was)|i['’](d|ve|m)|me|person|human|someone"
    r"|lawyer|complain\w*|please (cancel|refund|return|change|send))\b|\b(AP-\d|ALD\d)",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"\b(AP-\d{6}|ALD\d{10})\b", re.IGNORECASE)
_ORDER_WORDS = re.compile(r"\b(order|parcel|package|shipment|delivery|tracking)\b", re.IGNORECASE)


def fast_path(turn: TurnInput) -> str:
    """Why this turn needs no planner, or '' when it does: small talk, 'where is my order', a plain question that an
    article answers."""
    text = turn.text.strip()
    if len(text) > 160:
        return ""
    if turn.article_score >= SURE_ARTICLE and _GENERAL.search(text) and not _OWN.search(text):
        return "help centre"
    if _CHANGE.search(text):
        return ""
    if _SMALL_TALK.fullmatch(text):
        return "small talk"
    about_order = _IDENTIFIER.search(text) or _ORDER_WORDS.search(text)
    return "order status" if about_order and _WHERE.search(text) else ""


def toolset(plan: Plan, turn: TurnInput) -> tuple[str, ...]:
    """The turn's tools. Mutations only for a verified customer with an action in the plan, and not while one waits."""
    acts = any(step.type == "take_action" for step in plan.steps)
    if not (acts and turn.verified and turn.mutations_allowed):
        return READ
    return TOOLSETS[plan.subject]


def tier(plan: Plan) -> Tier:
    return TIERS[plan.complexity]
