"""What must not be said whatever backs it: our own workings, and questions for what only a thief would ask."""

from __future__ import annotations

import re
from functools import lru_cache

RUN = 8  # so many words in a row of a prompt are a quotation
_WORD = re.compile(r"\w+")
_INNER = (
    (re.compile(r"(?<![\w@./:-])[a-z]{2,}(?:_[a-z]{2,})+(?![\w@/-])"), "names something of our inside"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "shows an internal id"),
    (re.compile(r"\{\s*\"\w+\"\s*:"), "shows raw data"),
    (re.compile(r"[A-Za-z0-9+/=_]{40,}"), "shows a long string that nobody can read"),
)
_THEIRS = (
    r"\b(?:passwords?|passcode|PIN|CVV|CVC|security code|card number|three digits"
    r"|(?:verification|one-time|six-digit|login|e-?mailed) code)\b"
)
_ASKS = (
    re.compile(
        rf"\b(?:tell|give|send|show|read|e-?mail) (?:me|us)\b[^.?!]{{0,60}}{_THEIRS}"
        rf"|\bshare\b[^.?!]{{0,40}}{_THEIRS}[^.?!]{{0,20}}\bwith (?:me|us)\b"
        rf"|\bwhat(?:['’]?s| is| are)\s+(?:your|the)\b[^.?!]{{0,20}}{_THEIRS}",
        re.I,
    ),
    re.compile(
        rf"\b(?:type|write|enter|post|paste|reply|answer)\b[^.?!]{{0,60}}(?:{_THEIRS}|\bthe code\b)[^.?!]{{0,40}}"
        r"\b(?:here|in (?:the|this) chat|in (?:your|a) (?:message|reply|answer))\b",
        re.I,
    ),
)
_THEIRS_ABROAD = (
    r"(?:Passwort|Kennwort|PIN|CVV|Kartennummer|Prüfziffer|Sicherheitscode|Bestätigungscode|mot de passe"
    r"|num[eé]ro de carte|cryptogramme|code de (?:sécurité|vérification)|contraseña|número de (?:su )?tarjeta"
    r"|código de (?:seguridad|verificación)"
    r"|كلمة (?:المرور|السر)|رقم (?:البطاقة|بطاقتك)|رمز (?:التحقق|الأمان))"
)
_ASKS_ABROAD = re.compile(
    r"(?:\b(?:nennen|geben|senden|schicken|teilen|verraten|schreiben) Sie (?:mir|uns)\b"
    r"|\b(?:donnez|envoyez|communiquez|indiquez|écrivez)[- ](?:moi|nous)\b"
    r"|\b(?:d[íi]ga|env[íi]e|escr[íi]ba|f?acil[íi]te|ind[íi]que)(?:me|nos)\b"
    rf"|(?:أرسل|أعط|اكتب|أخبر)\w* (?:لي|لنا|ني|نا)?)[^.?!؟]{{0,60}}{_THEIRS_ABROAD}",
    re.I,
)
_NOT_ABROAD = re.compile(r"\b(?:nie|niemals|nicht|kein\w*|jamais|pas|nunca|no|لا|أبدًا|أبدا)\b", re.I)
_NOT = re.compile(r"\b(?:never|not|nobody|no one|form)\b|n['’]t\b", re.I)
_PERSON = re.compile(
    r"\bour team, wrote:|\b(?i:this is|I am|I['’]m|my name is)\s+(?:an?\s+)?"
    r"(?:[A-Z]\w+|human|manager|supervisor|employee|real person|colleague)\s+(?:from|of|in|at) (?:the|our)\b"
    r"|\b(?i:I am|I['’]m) (?:an?|the) (?:human|real person|manager|supervisor|member of staff)\b"
    r"|\b(?i:ich bin) (?:ein|eine) (?:echter |echte )?(?:Mensch|Person|Mitarbeiter(?:in)?|Kollegin?)\b"
    r"|\b(?i:je suis) une? (?:vraie? )?(?:personne|humaine?|conseill(?:er|ère)|employée?)\b"
    r"|\b(?i:soy) una? (?:persona|human[oa]|agente|emplead[oa])\b|أنا (?:إنسان|موظف|شخص حقيقي)"
)


def leaks(text: str, inside: frozenset[str]) -> list[str]:
    """What of our workings a text shows, or what it asks for or pretends, each as the end of 'it …'."""
    found = [what for pattern, what in _INNER if pattern.search(text)]
    if inside and inside & runs(text):
        found.append("quotes its instructions")
    sentences = re.split(r"(?<=[.!?])\s+|\n+", text)
    asks = any(pattern.search(one) for one in sentences if not _NOT.search(one) for pattern in _ASKS)
    if asks or any(_ASKS_ABROAD.search(one) and not _NOT_ABROAD.search(one) for one in sentences):
        found.append("asks for a secret")
    if _PERSON.search(text):
        found.append("passes for a person")
    return found


@lru_cache(maxsize=16)
def inside_of(*prompts: str) -> frozenset[str]:
    """Every run of words of the prompts: what `leaks` compares with."""
    return frozenset(run for text in prompts for run in runs(text))


def runs(text: str) -> set[str]:
    """Each eight words in a row, without their marks and case."""
    words = _WORD.findall(text.lower())
    return {" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}
