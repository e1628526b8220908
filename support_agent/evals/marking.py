"""What was taken out of a case, found again in its text: for whoever reads it before it is leaned on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from support_agent.evals.redaction import PEOPLE
from support_agent.evals.world import NAMES

KINDS = {
    "placeholders": r"\{[a-z_.]+\}",
    "e-mail addresses": r"someone\d+@example\.com",
    "telephone numbers": r"503-555-01\d\d|\[phone\]",
    "streets and towns": r"\d{1,2} (?:Alder|Fir) Street|Salem, OR 97301|Portland, OR 97205",
    "names": "|".join(map(re.escape, (*PEOPLE, *NAMES.values()))),
    "cards, accounts and ids": r"4242 4242 4242 4242|\[(?:card|iban|id|redacted)\]",
    "order and other numbers": r"AP-9990\d+|ALD9990\d+|INV-9000\d+|T-9000\d+|ALD4200000000",
}
_MARK = re.compile("|".join(f"({pattern})" for pattern in KINDS.values()))
_SAID = re.compile(r"^  steps:\n(.*?)^  expect:", re.MULTILINE | re.DOTALL)
_DOUBT = re.compile(r"(?<=[a-zäöüß,;] )[A-ZÄÖÜ][a-zäöüß'’-]{2,}(?: [A-ZÄÖÜ][a-zäöüß'’-]+)*|\d[\d ./-]{6,}\d")
_KNOWN = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|(?:Mon|Tues|Wednes|Thurs|"
    r"Fri|Satur|Sun)day|Plus|Basic|Explorer|Trailmate|Beacon|Alder|Pine|Cascade|Post|Visa|Mastercard|PayPal|Apple|Google|"
    r"I|English|German|French|Spanish|Arabic)"
)


def marked(text: str) -> Iterator[tuple[str, str]]:
    """The text in pieces: (piece, kind of what was taken out there, or '')."""
    at = 0
    for match in _MARK.finditer(text):
        if match.start() > at:
            yield text[at : match.start()], ""
        yield match[0], list(KINDS)[(match.lastindex or 1) - 1]
        at = match.end()
    if at < len(text):
        yield text[at:], ""


def counted(text: str) -> list[tuple[str, int]]:
    """How often each kind was taken out, of the kinds there are."""
    found = Counter(kind for _, kind in marked(text) if kind)
    return [(kind, found[kind]) for kind in KINDS if found[kind]]


def doubts(text: str) -> list[str]:
    """What a reader should look at: words in the middle of what was said that may be names, and long numbers."""
    said = _SAID.search(text)
    plain = "".join(piece if not kind else "," for piece, kind in marked(said[1] if said else ""))
    words = (match[0].strip() for match in _DOUBT.finditer(" ".join(plain.split())))
    return list(dict.fromkeys(word for word in words if not _KNOWN.fullmatch(word.split()[0])))
