"""What a text asks its reader for: known kinds of questions, in words that any assistant might choose.

Only sentences that ask are looked at: “Your order number is AP-…” asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

KINDS = {
    "order": r"which (one|order|purchase|parcel)|(what|which) (is|'s) (the|your) order|order(?:'s)? number"
    r"|number of (the|your) order|check the number",
    "item": r"(which|what) (of the )?(item|product|article|thing|part)s?\b",
    "reason": r"\breason\b|\bwhy\b",
    "amount": r"how much|(certain|what|which|exact) (amount|sum)|the amount",
    "email": r"e-?mail",
    "phone": r"\b(tele)?phone\b|\bmobile\b",
    "address": r"(?<!mail )address",
    "name": r"\bnames?\b",
    "wish": r"replacement.*refund|refund.*replacement|what would you like (us|me) to do"
    r"|how (should|can) (we|i) (solve|fix)",
    "problem": r"what (exactly )?(went wrong|happened|is wrong)|describe (the|what)|tell me more about (the|what)",
    "code": r"\bcode\b",
}
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?=\S)[^.!?\n]*)*[.!?\n]?")
_REQUEST = re.compile(
    r"\b(please|let me know|tell me|could you|can you|would you|i(?:'ll| will)? need|kindly|share|provide)\b", re.I
)


_CONSENT = re.compile(
    r"^\W*(?:(?:so|or|otherwise|alternatively|if so|then)\W+)?"
    r"(?:(?:shall|should) (?:i|we)|(?:would|do) you (?:like|want) (?:me|us) to|may i|did you mean"
    r"|is (?:that|this|it) (?:right|correct|ok))\b",
    re.I,
)
_PERSON = re.compile(r"\b(colleague|person|human|team|agent|somebody|someone|ticket)\b", re.I)


def asks_for(text: str, pattern: str) -> bool:
    """Whether a sentence of the text that asks matches the pattern, letter case ignored. “Shall I cancel order AP-…?”
    asks for a yes, not for the order."""
    asking = (sentence for sentence in questions(text) if not _CONSENT.match(sentence))
    return any(_compiled(pattern).search(sentence) for sentence in asking)


def asks_consent(text: str, *, to_person: bool = False) -> bool:
    """Whether the text asks for a yes to something the assistant would do; with `to_person`, to a hand-over."""
    return any(_CONSENT.match(sentence) and bool(_PERSON.search(sentence)) == to_person for sentence in questions(text))


def questions(text: str) -> Iterator[str]:
    """The sentences that end in a question mark or request something."""
    for sentence in _SENTENCE.findall(text.replace("’", "'")):
        if sentence.rstrip().endswith("?") or _REQUEST.search(sentence):
            yield sentence.strip()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I)
