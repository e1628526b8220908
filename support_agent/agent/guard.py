"""The guard in: what a message is made of before the model sees it, and how much it looks like an attack.

Rules name what they know, a small classifier (likeness.py) finds what reads like it; the higher of the two is the
score. It adds caution (no changes offered, a stricter critic) and telemetry; it never drops a customer. The walls are
elsewhere: tools that take their customer from the conversation, and the customer's own click.
"""

from __future__ import annotations

import base64
import binascii
import html
import math
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from support_agent.agent.likeness import load
from support_agent.agent.pictures import only_names

CAUTIOUS_FROM = 0.5
# Zero-width and joiners, bidirectional controls, tag characters: nothing a person types to us on purpose.
_HIDDEN = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_JOINS_WORDS = {"\u200c", "\u200d"}  # part of Persian, Indic scripts and emoji
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝАВЕКМНОРСТХІЈЅοαερντικυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijshdqwABEKMHOPCTXIJSoaepvtikuABEZHIKMNOPTYX"
)
_LEET = str.maketrans("013457@$", "oieastas")
_SPACED = re.compile(r"\b(?:\w[ .\-_*]){4,}\w\b")
_BASE64 = re.compile(r"\b[A-Za-z0-9+/]{24,}={0,2}(?![A-Za-z0-9+/=])")

# (weight, name, pattern) over the folded, lower-case text.
_RULES = tuple(
    (weight, name, re.compile(pattern))
    for weight, name, pattern in (
        (0.7, "asks to forget the rules",
         r"\b(ignore|disregard|forget|override|bypass|skip)\b(?! my\b).{0,40}"
         r"\b(instructions?|rules?|prompts?|guidelines|directives|polic(y|ies) above|everything above|restrictions)\b"),
        (0.7, "asks to forget the rules in another language",
         r"\b(ignorier|vergiss|missachte)\w*.{0,40}\b(anweisung|regeln|vorgaben|instruktion)\w*"
         r"|\b(ignore[zr]?|oublie[zr]?)\b.{0,20}\b(les|tes|vos|ces)\b.{0,20}\b(instructions|consignes|regles)\b"
         r"|\b(ignora|olvida|omite)\w*.{0,40}\b(instrucciones|reglas|istruzioni|regole)\b"),
        (0.7, "asks for the prompt",
         r"\b(reveal|show|print|repeat|output|tell me|give me|translate|summari[sz]e|what (is|are|was))\b.{0,40}"
         r"\b(system prompt|hidden prompt"
         r"|(your|(your|the)( (system|hidden|secret|first|initial|original|internal|own|real))+) "
         r"(instructions|prompt))\b"),
        (0.6, "gives the assistant another role",
         r"\b(you are now|from now on you( are|'re)|act as|pretend (to be|you are)|roleplay as|simulate being)\b"
         r".{0,60}\b(admin|developer|unrestricted|dan|root|system|hacker|no (rules|limits)|evil|employee)\b"),
        (0.6, "names a jailbreak", r"\b(jailbreak|dan mode|developer mode|god mode|do anything now|sudo)\b"),
        (0.6, "plays a server's message",
         r"(^|\n)\s*(\[?(system|assistant|tool|developer)\]?\s*[:>]|#{2,}\s*(system|instruction))"
         r"|</?\s*(system|assistant|tool_result|instructions?|im_start|im_end)\b|<\|im_|\[/?inst\]"),
        (0.4, "claims authority",
         r"\b(i am|i'm|this is) (an?|the|your) (admin(istrator)?|developer|engineer|ceo|owner|supervisor|manager)\b"
         r".{0,80}\b(approve|authori[sz]e|grant|give|override|refund|access|allow)\w*"),
        (0.5, "wants another customer's data",
         r"\b(list|show|give|send|tell|print|export|dump|read|get|find|look up|see)\b.{0,40}"
         r"\b(all|other|another|every|someone else'?s) (customers?|users?|people|accounts?)\b.{0,40}"
         r"\b(data|orders?|e-?mails?|address(es)?|details|list|passwords?|cards?)\b"),
        (0.5, "wants a tool called",
         r"\b(call|invoke|execute|run|use) (the )?(tool|function|request_refund|update_customer|cancel_order"
         r"|lookup_customer|escalate_to_human|create_ticket)\b"),
        (0.4, "wants it kept secret", r"\b(do not|don't|never) (tell|mention|inform|log|escalate)\b.{0,30}\b(anyone"
         r"|staff|human|user|customer|them|this)\b"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guarded:
    """`text` is what the model reads; `rules` and `likeness`, both from 0 to 1, and the `reasons` go to the trace."""

    text: str
    rules: float
    likeness: float
    reasons: tuple[str, ...]

    @property
    def score(self) -> float:
        return max(self.rules, self.likeness)

    @property
    def cautious(self) -> bool:
        return self.score >= CAUTIOUS_FROM


def guard(text: str) -> Guarded:
    """Normalise a message, and score it: the rules are tried on its folded text and on what it hides."""
    clean = normalise(text)
    reasons: dict[str, float] = {}
    hidden = [found for found in _HIDDEN.findall(text) if found not in _JOINS_WORDS]
    if len(hidden) >= 3:
        reasons["hides characters"] = 0.4
    seen = variants(only_names(clean))
    for disguise, variant in seen.items():
        for weight, rule, pattern in _RULES:
            if pattern.search(variant) and not any(known.startswith(rule) for known in reasons):
                reasons[rule + disguise] = weight
    rules = 1 - math.prod(1 - weight for weight in reasons.values())
    likeness = max(load().likeness(variant) for variant in seen.values())
    if likeness >= CAUTIOUS_FROM:
        reasons["reads like an attack"] = likeness
    return Guarded(clean, round(rules, 2), round(likeness, 2), tuple(reasons))


def normalise(text: str) -> str:
    """One spelling for every text: NFKC, no invisible characters, no runs of blank lines."""
    text = unicodedata.normalize("NFKC", text)
    text = _HIDDEN.sub(lambda found: found[0] if found[0] in _JOINS_WORDS else "", text)
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def variants(text: str) -> dict[str, str]:
    """What a normalised text is judged by: the folded text, and what stands behind simple disguises."""
    folded = _fold(text)
    found = {"": folded, " (disguised)": folded.translate(_LEET)}
    if _SPACED.search(folded):
        found[" (spaced out)"] = _SPACED.sub(lambda word: re.sub(r"[ .\-_*]", "", word[0]), folded)
    decoded = " ".join([*_decoded_base64(text), *(_unescaped(text))])
    if decoded:
        found[" (encoded)"] = _fold(decoded)
    if found[" (disguised)"] == folded:
        del found[" (disguised)"]
    return found


def _fold(text: str) -> str:
    """Lower case, look-alike letters and accents taken back to plain ones."""
    plain = unicodedata.normalize("NFKD", text.translate(_LOOKALIKES))
    return "".join(c for c in plain if not unicodedata.combining(c)).lower().replace("’", "'")


def _decoded_base64(text: str) -> list[str]:
    found = []
    for match in _BASE64.finditer(text):
        try:
            decoded = base64.b64decode(match[0] + "=" * (-len(match[0]) % 4), validate=True).decode()
        except (binascii.Error, ValueError):
            continue
        if decoded.isprintable():
            found.append(decoded)
    return found


def _unescaped(text: str) -> list[str]:
    return [plain for plain in (unquote(text), html.unescape(text)) if plain != text]
