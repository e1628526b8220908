"""What a text says has been done: "I have refunded it", "your order has been cancelled".

A customer relies on such a sentence, so it is a claim like an amount is: a record, a server notice or a member of staff
must say the same. How things are in general ("once we have refunded you") claims nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType

from support_agent.agent.abroad import deeds_told_abroad, said_done_abroad

_WORDS = {
    "cancelled": r"cancell?ed|called off",
    "refunded": r"refunded|credited|reimbursed|paid back|money back",
    "changed": r"changed|updated|corrected|upgraded|downgraded",
    "approved": r"approved|granted|authori[sz]ed|waived",
    "replaced": r"replaced|re-?sent|re-?shipped",
    "deleted": r"deleted|erased",
    "unlocked": r"unlocked|verified",
    "processed": r"processed|issued|arranged|completed|carried out",
}
_ANY = "|".join(_WORDS.values())
_ALSO = r"(?:\s+(?:now|just|already|also|successfully|manually|fully|partly|partially|gone ahead and|been))*"
_WE_DID = re.compile(
    r"\b(?:I|we|our team|(?:my|a|our) (?:colleagues?|manager|supervisor|lead))(?:['’]ve|\s+ha(?:ve|s))?"
    rf"{_ALSO}\s+(?P<deed>{_ANY})\b",
    re.IGNORECASE,
)
_IT_WAS = re.compile(
    rf"\b(?:ha(?:s|ve)(?=[\w\s]*\bbeen\b)|was|were|(?:is|are)(?=\s+(?:now|already)\b)){_ALSO}\s+(?P<deed>{_ANY})\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,;:–—]")
# What makes a clause a rule, a question or a no.
_CLAIMS_NOTHING = re.compile(
    r"\b(?:if|once|when|whenever|after|until|till|unless|as soon as|before|whether|while|nothing|none|neither|nobody"
    r"|how|what|which|who|that)\b|\bno\s+\w+\s*$",
    re.IGNORECASE,
)
# What an action that was carried out entitles us to say.
OF_ACTIONS = MappingProxyType(
    {
        "cancel_order": ("cancelled", "refunded"),
        "request_refund": ("refunded", "approved"),
        "request_return": ("approved",),
        "update_customer": ("changed",),
        "report_delivery_problem": ("processed",),
    }
)
# What the state of a record says: an order's, a return's, a code's.
OF_STATES = MappingProxyType(
    {"cancelled": ("cancelled",), "refunded": ("refunded", "approved"), "verified": ("unlocked",)}
)
_ACTION_LINE = re.compile(r"^action \S+: (\w+), state done$", re.MULTILINE)


def said_done(text: str) -> Iterator[tuple[str, str]]:
    """(the sentence, what it says was done) for each deed in a text."""
    for sentence in re.split(r"(?<=[.!?؟])(?<!\d\.)\s+|\n+", text):
        if sentence.rstrip().endswith(("?", "؟")):
            continue
        for match in (*_WE_DID.finditer(sentence), *_IT_WAS.finditer(sentence)):
            clause = _CLAUSE.split(sentence[: match.start()])[-1]
            if not _CLAIMS_NOTHING.search(clause):
                yield sentence.strip()[:80], _deed(match["deed"])
        for deed in said_done_abroad(sentence):
            yield sentence.strip()[:80], deed


def deeds_told(text: str) -> set[str]:
    """What the words of a server notice, of staff or of the desk itself say was done, however they say it."""
    found = {name for name, words in _WORDS.items() if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)}
    found |= deeds_told_abroad(text)
    for tool in _ACTION_LINE.findall(text):
        found.update(OF_ACTIONS.get(tool, ()), {"processed"})
    return found


def _deed(words: str) -> str:
    return next(name for name, known in _WORDS.items() if re.fullmatch(known, words, re.IGNORECASE))
