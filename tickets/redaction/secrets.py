"""Keys, tokens and passwords: what opens something."""

from __future__ import annotations

import re

MARK = "[redacted]"
# Words of which one must be there, in lower case, before the pattern is tried: most texts hold none of them.
RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (
        ("private key",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        MARK,
    ),
    (("eyj",), re.compile(r"\beyJ[\w-]{6,}\.eyJ[\w-]{6,}\.[\w-]*"), MARK),  # JWT
    (("sk-", "sk_", "pk-", "pk_", "rk-", "rk_"), re.compile(r"\b(?:sk|pk|rk)[-_][\w-]{8,}"), MARK),  # ours and others'
    (("akia", "asia", "aroa", "aida"), re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), MARK),  # AWS
    (
        ("gh", "glpat-", "xox", "hf_", "npm_", "whsec_", "sg."),
        re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|hf_|npm_|whsec_|SG\.)[\w.-]{16,}"),
        MARK,
    ),
    (("aiza",), re.compile(r"\bAIza[\w-]{35}"), MARK),  # Google
    (("bearer",), re.compile(r"(?i)\b(bearer\s+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}"), rf"\1{MARK}"),
    (
        ("?", "&"),
        re.compile(r"(?i)([?&](?:token|code|key|password|signature)=)[^&\s\"']+"),
        rf"\1{MARK}",
    ),
    (("://",), re.compile(r"(\b\w+://[^\s:/@]*:)[^\s@/]+@"), rf"\1{MARK}@"),
    (
        ("key", "token", "secret"),
        re.compile(r"(?i)\b((?:api|access|auth|secret|client)[ _-]?(?:key|token|secret)\s*[:=]\s*[\"']?)[^\s\"',]{8,}"),
        rf"\1{MARK}",
    ),
    (
        ("cvc", "cvv", "security code"),
        re.compile(r"(?i)\b((?:cvc|cvv2?|card security code|security code)\b\W{0,3}(?:is\s+)?)\d{3,4}\b"),
        rf"\1{MARK}",
    ),
)
PASSWORD_WORDS = ("pass", "pwd", "kennwort", "contraseña")
PASSWORD = re.compile(
    r"(?i)\b((?:pass(?:word|code|wort|phrase)|pwd|passwd|kennwort|contraseña|mot de passe)s?"
    r"(?P<how>\s*[:=]\s*|\s+(?:is|ist|was|es|est)\s+[:\"']?))(?P<value>[^\s\"'<>\[]{4,})(?P<more>[\"']?\s*[\w(])?"
)
ENDS = ".,;!?)"


def hide_secrets(text: str) -> str:
    """Keys and tokens by their shape; a password by what is said before it."""
    lowered = text.lower()
    for words, pattern, replacement in RULES:
        if any(word in lowered for word in words):
            text = pattern.sub(replacement, text)
    return PASSWORD.sub(_hidden, text) if any(word in lowered for word in PASSWORD_WORDS) else text


def _hidden(match: re.Match[str]) -> str:
    """What follows, unless it reads like the next word of the sentence."""
    value = match["value"].rstrip(ENDS)
    is_plain_word = value.isalpha() and value.lower() == value
    is_sentence = "=" not in match["how"] and (":" not in match["how"] or match["more"] is not None)
    if len(value) < 4 or (is_plain_word and is_sentence):
        return match[0]
    return f"{match[1]}{MARK}{match['value'][len(value) :]}{match['more'] or ''}"
