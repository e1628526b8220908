"""Search by words in PostgreSQL: any of them, each weighed by how rare it is, typos mended against the vocabulary."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db import connection

from tickets.audience import Readers
from tickets.languages import ENGLISH
from tickets.search.spelling import CONTRACTED, is_english, nearest

MAX_WORDS = 32
CANDIDATES = 120
WEIGHTS = [0.3, 0.6, 0.8, 1.0]  # text, heading, keywords, title
MENDED = 0.8  # what a mended word counts of a known one
MAX_STEMS = 50_000
_stems: dict[str, dict[str, list[str]]] = {}  # by language; configurations never change under a running process
_WORD = re.compile(r"\w(?:[\w'’.+-]*\w)?")


@dataclass(frozen=True, slots=True)
class Term:
    """A lexeme of the question; `articles` of the corpus hold it."""

    lexeme: str
    articles: int
    weight: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate: `rank` is the weighted sum over its words and `share` how much of the question it holds, 0 to 1."""

    section: str
    article: str
    rank: float
    share: float


def configuration(language: str) -> str:
    """PostgreSQL's text search configuration for a language: `help` is the English one."""
    return "help" if language == ENGLISH else f"help_{language}"


def read_terms(question: str, vocabulary: Mapping[str, int], articles: int, language: str = ENGLISH) -> list[Term]:
    """The question's lexemes with their idf; unknown words stand for the nearest ones of the vocabulary, which maps a
    lexeme to how many of the `articles` hold it."""
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(question)))
    words = [word for word in words if language != ENGLISH or word not in CONTRACTED][:MAX_WORDS]
    joined = {a + b: (a, b) for a, b in pairwise(words) if (a + b).isalpha()}  # "trail mate"
    known: dict[str, int] = {}
    unknown: dict[str, str] = {}  # the lexeme and the word it came from
    whole: set[str] = set()
    for word, lexeme in _lexemes([*words, *joined], language):
        if count := vocabulary.get(lexeme):
            known[lexeme] = count
            whole.update(joined.get(word, ()))
        elif word in words:
            unknown[lexeme] = word
    unknown = {lexeme: word for lexeme, word in unknown.items() if word not in whole}
    terms = [Term(lexeme, count, _idf(count, articles)) for lexeme, count in known.items()]
    for lexeme in [lexeme for lexeme, word in unknown.items() if language != ENGLISH or not is_english(word)]:
        if (mended := nearest(lexeme, vocabulary)) is None:
            continue
        if mended not in known:
            count = vocabulary[mended]
            terms.append(Term(mended, count, _idf(count, articles) * MENDED))
        del unknown[lexeme]
    # A word nobody wrote finds nothing, but it is a part of the question that no article answers.
    return terms + [Term(lexeme, 0, _idf(0, articles)) for lexeme in unknown]


def rank(
    terms: Sequence[Term],
    *,
    sections: Iterable[str],
    articles: Iterable[str],
    readers: Readers,
    category: str | None,
    language: str = ENGLISH,
) -> list[Ranked]:
    """Sections of the language, for these readers, that hold any of the words (at most CANDIDATES, by the rarest), and
    those given, which must be of the category; in no order."""
    held = [term for term in terms if term.articles]
    total = sum(term.weight for term in terms) or 1.0
    parameters: dict[str, Any] = {
        "lexemes": [quoted(term.lexeme) for term in held],
        "idf": [term.weight for term in held],
        "weights": WEIGHTS,
        "query": candidate_query(held),
        "sections": list(sections),
        "articles": list(articles),
        "readers": list(readers),
        "category": category,
        "language": language,
        "limit": CANDIDATES,
    }
    with connection.cursor() as cursor:
        cursor.execute(RANK.format(of_category=OF_CATEGORY if category else ""), parameters)
        rows = {row[0]: row for row in cursor}  # found by words and by meaning: once is enough
    return [Ranked(section, article, value / total, idf / total) for section, article, value, idf in rows.values()]


# Sections of drafts do not exist and each has its audience, so articles are joined for their category only.
OF_CATEGORY = "JOIN tickets_article a ON a.id = s.article_id AND a.category = %(category)s"
# OFFSET 0 keeps PostgreSQL from computing each rank twice.
RANK = """
SELECT s.id::text, s.article_id::text, coalesce(r.rank, 0), coalesce(r.idf, 0)
FROM (
    (SELECT s.id, s.article_id, s.lexemes FROM tickets_articlesection s {of_category}
     WHERE s.lexemes @@ %(query)s::tsquery AND s.language = %(language)s
       AND s.audience = ANY(%(readers)s) LIMIT %(limit)s)
    UNION ALL SELECT id, article_id, lexemes FROM tickets_articlesection
     WHERE id = ANY(%(sections)s::uuid[]) AND audience = ANY(%(readers)s)
    UNION ALL (SELECT s.id, s.article_id, s.lexemes FROM tickets_articlesection s {of_category}
     WHERE s.article_id = ANY(%(articles)s::uuid[]) AND s.language = %(language)s
       AND s.audience = ANY(%(readers)s) LIMIT %(limit)s)
) s
CROSS JOIN LATERAL (
    SELECT sum(v.idf * v.rank) AS rank, sum(v.idf) FILTER (WHERE v.rank > 0) AS idf
    FROM (
        SELECT t.idf, ts_rank(%(weights)s::float4[], s.lexemes, t.lexeme) AS rank
        FROM unnest(%(lexemes)s::tsquery[], %(idf)s::float8[]) AS t (lexeme, idf) OFFSET 0
    ) v
) r
"""


def candidate_query(terms: Sequence[Term]) -> str:
    """The rarest words that together stay within the cap; when even one does not, sections that hold two of them."""
    rarest = sorted(terms, key=lambda term: term.articles)
    chosen: list[Term] = []
    for term in rarest:
        if chosen and sum(one.articles for one in chosen) + term.articles > CANDIDATES:
            break
        chosen.append(term)
    if len(chosen) == 1 and chosen[0].articles > CANDIDATES and len(rarest) > 1:
        return f"{quoted(rarest[0].lexeme)} & ({' | '.join(quoted(term.lexeme) for term in rarest[1:])})"
    return " | ".join(quoted(term.lexeme) for term in chosen)


def quoted(lexeme: str) -> str:
    """A lexeme as a tsquery's operand."""
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _idf(count: int, articles: int) -> float:
    return math.log(1 + (articles - count + 0.5) / (count + 0.5)) if articles >= count else 0.1


def _lexemes(words: list[str], language: str) -> list[tuple[str, str]]:
    """(word, lexeme); stop words have none and vanish. PostgreSQL is asked for the words this process has not seen."""
    stems = _stems.setdefault(language, {})
    new = [word for word in words if word not in stems]
    if new:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT w.word, tsvector_to_array(to_tsvector(%s::regconfig, w.word)) "
                "FROM unnest(%s::text[]) AS w (word)",
                [configuration(language), new],
            )
            if len(stems) > MAX_STEMS:
                stems.clear()
            stems.update(cursor.fetchall())
    return [(word, lexeme) for word in words for lexeme in stems.get(word, ())]
