"""What to ask the help centre for a customer's question: its words spelled out, or the help centre's name for it."""

from __future__ import annotations

from support_agent.llm.demo import classifier, lexicon
from support_agent.llm.demo.text import tokens

MOST = 300
_POLITE = frozenset({"hi", "hello", "hey", "please", "thanks", "thank", "ok", "dear", "sorry"})


def search_query(text: str) -> str:
    """Words without greetings and codes; typos stay, the search mends them itself by what its articles say."""
    words = [word for word in tokens(text) if word not in _POLITE and not _is_code(word)]
    named = lexicon.first_of("queries", " ".join(classifier.load().mend(words)))
    return (named or " ".join(words) or text)[:MOST].strip()


def _is_code(word: str) -> bool:
    return word.isupper() and len(word) > 2
