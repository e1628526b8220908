"""How this company's numbers look. The process hands its source in once (`use`); the demo shop's are the default."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_ORDER = re.compile(r"\bAP-\d{6}\b", re.IGNORECASE)
_PARCEL = re.compile(r"\bALD\d{10}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Formats:
    """`orders` and `others` find numbers in a text, as they stand there; `canonical` writes an order's number as
    records have it; `hint` tells a model how one looks, and `longest` how many characters it has at most."""

    orders: Callable[[str], Iterable[str]]
    others: Callable[[str], Iterable[str]]
    canonical: Callable[[str], str]
    hint: str
    longest: int = 40

    def found_in(self, text: str) -> list[str]:
        """Every number of ours in a text."""
        return [*self.orders(text), *self.others(text)]


def _demo_canonical(written: str) -> str:
    text = "".join(letter for letter in written.upper() if letter.isalnum())
    return f"AP-{text.removeprefix('AP')}"


# Not made of masks, which are the desk's and beyond the engine: so engine and demo model work, and are tested, alone.
# Where the workspace has these same formats, its source answers DEMO itself (runtime/number_formats.py).
DEMO = Formats(_ORDER.findall, _PARCEL.findall, _demo_canonical, "AP- and six digits, for example AP-104233", 16)


def _demo() -> Formats:
    return DEMO


_source: Callable[[], Formats] = _demo


def use(source: Callable[[], Formats]) -> None:
    """Where the formats come from. It is asked at each use, so it must answer from memory."""
    global _source
    _source = source


def formats() -> Formats:
    return _source()
