"""A company's own order numbers in a message, also typed without their marks: 'fc 2026 01238' is FC-2026-01238.

The demo shop's are read by the patterns of slots.py and text.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from support_agent.agent.identifiers import DEMO, formats

# A word and a run of digits with blanks or marks between them; whether it is a number of theirs, their format says.
_LOOSE = re.compile(r"(?<!\w)(?:[A-Za-z]{1,8}[\s_./-]{0,3})?\d(?:[\s_./-]{0,2}[A-Za-z0-9]*\d)*(?!\w)")
_LEADING = re.compile(r"[A-Za-z]+[\s_./-]{0,3}")


@dataclass(frozen=True, slots=True)
class Written:
    """Where it stands in the text, and the number as records have it."""

    start: int
    end: int
    number: str


def company_numbers(text: str) -> list[Written]:
    """In the order written; none where the formats are the demo shop's."""
    known = formats()
    if known is DEMO:
        return []
    found: list[Written] = []
    for number in dict.fromkeys(known.orders(text)):
        found += [
            Written(at.start(), at.end(), known.canonical(number))
            for at in re.finditer(rf"(?<!\w){re.escape(number)}(?!\w)", text)
        ]
    for at in _LOOSE.finditer(text):
        bare = _LEADING.sub("", at[0], count=1)
        for start, written in ((at.start(), at[0]), (at.end() - len(bare), bare)):
            number = known.canonical(written)
            if [*known.orders(number)] == [number]:
                if not any(start < one.end and one.start < at.end() for one in found):
                    found.append(Written(start, at.end(), number))
                break
    return sorted(found, key=lambda one: one.start)


def without_company_numbers(text: str, instead: str = " ") -> str:
    """The text with something else in the place of each."""
    for one in reversed(company_numbers(text)):
        text = f"{text[: one.start]}{instead}{text[one.end :]}"
    return text
