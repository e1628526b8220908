"""Codes and names: a question that holds an article's keyword or title, word for word, has named the article."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

from tickets.audience import Readers

_TOKEN = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")  # of other scripts, too
MAX_TOKENS = 6


def tokens(text: str) -> list[str]:
    """Words and parts of codes, in lower case and without accents: `TNT-2P-GRN` is `tnt 2p grn`."""
    flat = unicodedata.normalize("NFKD", text.lower())
    return _TOKEN.findall("".join(mark for mark in flat if not unicodedata.combining(mark)))


class Names:
    """Every keyword and title of the published articles, with the articles that carry it."""

    def __init__(self, articles: Iterable[tuple[str, str, str, str]]) -> None:
        self._names: dict[tuple[str, ...], set[str]] = {}
        self._codes: set[tuple[str, ...]] = set()
        self._audiences: dict[str, str] = {}
        self.articles = 0
        for article, title, keywords, audience in articles:
            self.articles += 1
            self._audiences[article] = audience
            for keyword in (title, *keywords.split(",")):
                if name := tuple(tokens(keyword))[: MAX_TOKENS * 2]:
                    self._names.setdefault(name, set()).add(article)
                    if is_code(keyword):
                        self._codes.add(name)

    def named_in(self, question: str, readers: Readers) -> dict[str, float]:
        """How strongly the question names each of these readers' articles: 0 to 1 for a name within it (the rarer the
        more), 2 for a code or when the whole question is the name."""
        words = tokens(question)
        found: dict[str, float] = {}
        for size in range(1, min(len(words), MAX_TOKENS) + 1):
            for start in range(len(words) - size + 1):
                name = tuple(words[start : start + size])
                carriers = [one for one in self._names.get(name, ()) if self._audiences[one] in readers]
                if carriers:
                    whole = size == len(words) or name in self._codes
                    strength = 2.0 if whole else self._rarity(len(carriers))
                    for article in carriers:
                        found[article] = max(found.get(article, 0.0), strength)
        return found

    def _rarity(self, carriers: int) -> float:
        return 1 - math.log(carriers) / math.log(self.articles + 1)


def is_code(keyword: str) -> bool:
    """`TNT-2P-GRN`, `BCN-`, `E42`: capitals with digits or a hyphen, in one piece."""
    word = keyword.strip()
    return bool(re.fullmatch(r"[A-Z0-9-]{2,}", word) and re.search(r"[A-Z]", word) and re.search(r"[0-9-]", word))
