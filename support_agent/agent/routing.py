"""Which path a turn takes, which model tier answers, and which tools it may use: at most 7, fixed for the turn."""

from __future__ import annotations

import re
from types import MappingProxyType

from support_agent.agent import extras
from support_agent.agent.abroad import asks_for_person_abroad
from support_agent.agent.identifiers import formats
from support_agent.agent.types import Plan, Tier, TurnInput, WiderPlan

READ = (
    "search_knowledge_base",
    "lookup_customer",
    "lookup_order",
    "track_shipment",
    "verify_identity",
    "create_ticket",
    "escalate_to_human",
)
# For staff's own use: nothing that sends, writes or escalates.
LOOK = ("search_knowledge_base", "lookup_customer", "lookup_order", "track_shipment")
# For an answer that staff read before it is sent: it looks things up, or says that a person should answer.
DRAFTING = (*LOOK, "escalate_to_human")
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
ASSIST_TIERS = MappingProxyType({"summary": Tier.SMALL, "draft": Tier.MEDIUM, "article": Tier.MEDIUM})
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
    r"|lawyer|complain\w*|please (cancel|refund|return|change|send))\b",
    re.IGNORECASE,
)
_A_PERSON = (
    r"(?:human(?: being)?|(?:real |actual |live )?(?:person|agent)|somebody real|someone real|representative|manager"
    r"|supervisor|colleague|employee|member of staff)"
)
# "A representative sample", "your manager's address": the word belongs to another thing.
_ALONE = (
    r"\b(?!['’]s\b|-\w|\s+(?:samples?|selection|examples?|pictures?|photos?|images?|figures?|values?|prices?|lists?"
    r"|discounts?|accounts?|roles?|access|login|names?|numbers?|id|e?mails?|addresses|address|portal|app|codes?"
    r"|readable|sized|resources|rights|error|tents?)\b)"
)
_TO_A_PERSON = re.compile(
    r"\b(?:(?:(?:talk|speak|chat)"
    r"|(?:prefer|insist on|rather be|like|want|how about|what about|interested in) (?:talk|speak|chatt)ing) (?:to|with)"
    r"|(?:connect|transfer|forward|pass|hand|put) me(?: (?:on|over|through|back|up|straight|directly|please|now))*"
    r" (?:to|with)"
    rf"|get me|give me|gimme|let me have)(?: an?| your| the| some| another)? {_A_PERSON}{_ALONE}"
    r"|\b(?:want|need|prefer) (?:an? )?"
    rf"(?:human(?: being)?|real person|live agent|(?:human )?representative|supervisor){_ALONE}"
    r"|^\W*(?:human|agent|operator|real person|representative)(?:,? please)?\W*$",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|never|no need|without|instead of|rather than)\b|n['’]t\b", re.IGNORECASE)
# These say no to something else: "not a bot", "why can't I".
_NO_TO_A_BOT = re.compile(
    r"\b(?:(?:do not|don['’]?t) want(?: to (?:talk|speak|chat) (?:to|with))?|not(?: to| with)?|instead of|rather than)"
    r" (?:an? |this |the |your |another )?(?:(?:chat|ro)?bots?|machines?|computers?|ai|assistant)\b"
    r"|\b(?:why )?(?:can|could)(?:['’]?t i| i not)\b",
    re.IGNORECASE,
)
# What makes words ask for nobody: it is over, somebody else has said it, or it is only supposed.
_NO_WISH = re.compile(
    r"\b(?:told|promised|assured|informed) (?:me|us)\b|\b(?:was|were|been) (?:told|promised|assured)\b"
    r"|\b(?!(?:i|ve|have|already|just|also)\b)\w+ (?:already |just |also )?"
    r"(?:said|says|wrote|claimed|mentioned|promised)\b"
    r"|\b(?:did|had to|got to|used to|managed to|made me|had me|(?:was|were) (?:able|going|supposed) to)\b"
    r"|\bdo(?:es)? (?:i|you|we|they|it|he|she|this|(?:the|my|your) \w+) (?:\w+ )?(?:need|have|want)\b"
    r"|\b(?:if|when|whenever|once|after|before) (?:i|you|we|they)"
    r" (?:talk|speak|chat|connect|transfer|forward|pass|put)\b",
    re.IGNORECASE,
)
# Whatever was said before: "I was told to wait and now I want to".
_I_WANT = re.compile(r"\bi(?:['’]d| would)? (?:\w+ )?(?:want|like|demand|insist on)(?: to)? $", re.IGNORECASE)
# What makes it their own affair: "let me talk to a colleague first", "a manager at my company".
_THEIR_OWN = re.compile(
    r"^\s*(?:(?:of|at) (?:my|our) (?:company|office|work|firm|bank|team|building|place)\b|first\b"
    r"|(?:here )?and (?:then )?(?:i['’]?ll |i will |we['’]?ll |we will )?(?:come|get|write|be) back\b)",
    re.IGNORECASE,
)
_ORDER_WORDS = re.compile(r"\b(order|parcel|package|shipment|delivery|tracking)\b", re.IGNORECASE)


def fast_path(turn: TurnInput) -> str:
    """Why this turn needs no planner, or '' when it does: small talk, 'where is my order', a plain question that an
    article answers."""
    text = turn.text.strip()
    if len(text) > 160 or turn.pictures:
        return ""
    if turn.article_score >= SURE_ARTICLE and asks_in_general(text):
        return "help centre"
    if _CHANGE.search(text):
        return ""
    if _SMALL_TALK.fullmatch(text):
        return "small talk"
    about_order = bool(formats().found_in(text)) or _ORDER_WORDS.search(text)
    return "order status" if about_order and _WHERE.search(text) else ""


def asks_in_general(text: str) -> bool:
    """Whether it asks how things are, and not about the customer's own: what an article may answer alone."""
    return bool(_GENERAL.search(text)) and not _OWN.search(text) and not formats().found_in(text)


def asks_for_person(text: str) -> bool:
    """Whether these words plainly ask for a person: asking once is enough, whatever the model makes of it."""
    return any(
        _wishes_for_one(clause) or asks_for_person_abroad(clause)
        for clause in re.split(r"[.!?;\n,؟،]+|(?i:\bbut\b)", text[:2000])
    )


def _wishes_for_one(clause: str) -> bool:
    clause = _NO_TO_A_BOT.sub(" ", clause)
    return any(
        (_I_WANT.search(clause, 0, found.start()) or not _NO_WISH.search(clause, 0, found.end()))
        and not _NOT.search(clause, 0, found.end())
        and not _THEIR_OWN.match(clause[found.end() :])
        for found in _TO_A_PERSON.finditer(clause)
    )


def reading(turn: TurnInput) -> tuple[str, ...]:
    """The tools of a turn that changes nothing."""
    return DRAFTING if turn.drafted else READ


def toolset(plan: Plan, turn: TurnInput) -> tuple[str, ...]:
    """The turn's tools. Mutations only for a verified customer with an action in the plan, and not while one waits.
    Of the tools beside the product's, those that the plan names: agent/extras.py."""
    acts = any(step.type == "take_action" for step in plan.steps)
    acting = acts and turn.verified and turn.mutations_allowed
    tools = TOOLSETS[plan.subject] if acting else reading(turn)
    wanted = plan.tools if isinstance(plan, WiderPlan) else []
    return extras.fitted(tools, plan.subject, turn, wanted, acting=acting)


def tier(plan: Plan) -> Tier:
    return TIERS[plan.complexity]
