"""Customers' words made comparable: shorthand spelled out, codes named, typos mended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from support_agent.llm.demo import lexicon
from support_agent.llm.demo.numbers import without_company_numbers

CODES = (  # the order matters: the longer code first
    ("EMAIL", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("TRACKING", re.compile(r"\bald\s?\d{10}\b")),
    ("INVOICE", re.compile(r"\binv[-\s]?\d{6}\b")),
    ("RETURN", re.compile(r"\br-\d{6}\b")),
    ("TICKET", re.compile(r"\bt-\d{5}\b")),
    ("ORDER", re.compile(r"(?:\bap[-\s_]{0,3}\d{6}|#\s?\d{6}|\b\d{6})\b")),
    ("SKU", re.compile(r"\b[a-z]{3}(?:-[a-z0-9]{1,4}){2,4}\b|\b[a-z]{3}-\d[a-z0-9]{1,3}\b")),
    (
        "MONEY",
        re.compile(r"[$€£]\s?\d+(?:[.,]\d+)?|\b\d+(?:[.,]\d+)?\s?(?:usd|eur|dollars?|bucks|euros?)\b|\b\d+\.\d\d\b"),
    ),
)
_TOKEN = re.compile(r"[A-Z]{3,}|[a-z0-9]+(?:-[a-z]+)*")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")


def clean(text: str) -> str:
    """Compatibility forms folded, invisible characters out, quotes straight, spaces single."""
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'").replace("‘", "'")
    return re.sub(r"[ \t]+", " ", folded).strip()


def tokens(text: str) -> list[str]:
    """Lower-case words with shorthand spelled out; codes stand as ORDER, EMAIL, MONEY, … in capitals."""
    lowered = without_company_numbers(clean(text).lower(), " ORDER ").replace("%", " percent ")
    for name, pattern in CODES:
        lowered = pattern.sub(f" {name} ", lowered)
    lowered = re.sub(r"(?<=[a-z])'(?=[a-z])", "", lowered)
    lowered = re.sub(r"([a-z])\1{2,}", r"\1\1", lowered)  # heeelp, soooo
    shorthand: dict[str, str] = lexicon.data("lexicon")["shorthand"]
    words: list[str] = []
    for word in _TOKEN.findall(lowered):
        words.extend(shorthand.get(word, word).split(" "))
    return words


class Speller:
    """Mends words one slip away from a known one (a letter more, less, other, or two swapped)."""

    def __init__(self, known: Iterable[str], guarded: Iterable[str] = ()) -> None:
        self._known = {word for word in known if word.isalpha()}
        self._guarded = set(guarded)
        self._near: dict[str, str] = {}
        for word in sorted(self._known):
            if len(word) >= 5:
                for cut in _cuts(word):
                    self._near.setdefault(cut, word)

    def knows(self, word: str) -> bool:
        return any(form in self._known or form in self._guarded for form in (word, word.removesuffix("s")))

    def mend(self, word: str) -> str:
        """The known word meant, or the word itself. Of four letters only a missing fifth is mended."""
        if len(word) < 4 or not word.isalpha() or word.isupper() or self.knows(word):
            return word
        for cut in (word, *(_cuts(word) if len(word) > 4 else ())):
            meant = self._near.get(cut) or (cut if cut in self._known and len(cut) > 4 else None)
            if meant and abs(len(meant) - len(word)) <= 1 and meant[0] == word[0]:
                return meant
        return word


def _cuts(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]
