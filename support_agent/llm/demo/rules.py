"""The rules of the system prompt that the demo model keeps because they stand there, and breaks when they do not.

It understands no prompt; it looks for a few rules by their words. So a prompt that loses one, or forbids what it asks
for, is noticed by the evaluation cases without a key. docs/evals.md lists them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_NOT = r"(?:do not|never|don't|no|without|skip|omit|leave out)\b[^.\n]{0,16}"
_CITES = r"\b(?:cit(?:e|es|ed|ing|ations?)|sources?|footnotes?)\b"
_CONFIRMS = r"\b(?:confirm(?:s|ed|ation)?|proposals?|pending_confirmation)\b"
_MARK = re.compile(r"\s*\[\d{1,2}\]")
_OFFER = re.compile(
    r"I have prepared this: (.*?) Please check the card and press Confirm; nothing happens before that\."
)


@dataclass(frozen=True, slots=True)
class Rules:
    """`cites`: statements carry their sources. `confirms`: what is only proposed is not told as done."""

    cites: bool = True
    confirms: bool = True

    def kept(self, text: str) -> str:
        """The answer as one who has only these rules gives it."""
        if not self.cites:
            text = _MARK.sub("", text)
        return text if self.confirms else _OFFER.sub(r"Done. \1", text)


@lru_cache(maxsize=16)
def rules_of(system: str) -> Rules:
    """What this system prompt asks for; without one, everything."""
    return Rules(_asks(system, _CITES), _asks(system, _CONFIRMS)) if system.strip() else Rules()


def _asks(system: str, rule: str) -> bool:
    """Whether a line asks for it, and none forbids it outright at its beginning."""
    lines = [line.strip(" -*\t") for line in system.splitlines()]
    if any(re.match(_NOT + rule, line, re.I) for line in lines):
        return False
    return any(re.search(rule, line, re.I) for line in lines)
