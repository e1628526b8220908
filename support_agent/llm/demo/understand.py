"""One message understood: the things asked (there may be several), the slots named, the tone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from support_agent.llm.demo import classifier, lexicon
from support_agent.llm.demo.cues import weighed
from support_agent.llm.demo.slots import Slots, extract, order_numbers
from support_agent.llm.demo.tasks import ABOUT_ORDER
from support_agent.llm.demo.text import clean, tokens

_NO_PERSON = re.compile(
    r"\b(?:(?:i|we) )?(?:do not|don['’]?t|never|no need) (?:want|need|wish|have|like|ask)?\s?(?:to )?"
    r"(?:(?:speak|talk|chat)(?:ing)? (?:to|with) )?(?:an? |any )?(?:real |actual )?"
    r"(?:human|person|agent|colleague|somebody|someone|anybody|anyone|representative|manager)\b",
    re.I,
)
SURE = 0.32  # a score from here on is taken for meant
SOCIAL = frozenset({"greeting", "thanks", "goodbye", "angry"})
ABSORBS = {  # an ask that already says the other one
    "problem": {"refund", "return", "exchange", "track", "order_info", "return_status", "cancel"},
    "return": {"refund", "exchange", "order_info", "orders_list"},
    "exchange": {"return", "refund", "order_info"},
    "cancel": {"refund", "order_info", "return", "orders_list", "track"},
    "refund": {"order_info", "return_status", "invoice"},
    "return_status": {"refund", "return", "order_info", "track"},
    "track": {"order_info", "orders_list"},
    "update": {"account_info", "order_info"},
    "invoice": {"order_info", "orders_list"},
    "human": {
        "ticket",
        "about_bot",
        "track",
        "order_info",
        "refund",
        "problem",
        "return",
        "cancel",
        "knowledge",
        "invoice",
    },
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing wanted, with the words that say so."""

    intent: str
    text: str
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """A message understood; no asks when it is only a fragment ('the blue one', 'yes', an order number)."""

    text: str
    words: str
    asks: tuple[Ask, ...]
    slots: Slots
    angry: bool = False
    polarity: str = ""  # yes | no | why | more
    gibberish: bool = False
    question: bool = False

    @property
    def intent(self) -> str:
        return self.asks[0].intent if self.asks else ""

    @property
    def score(self) -> float:
        return self.asks[0].score if self.asks else 0.0


@lru_cache(maxsize=512)
def understand(text: str) -> Meaning:
    """Pure: the same words always mean the same; cached, since a conversation is read again on every call."""
    model = classifier.load()
    raw = clean(text)
    if others := _NO_PERSON.sub("", raw).strip(" ,.;!"):
        raw = others  # who wants no person wants something else
    words = model.mend(tokens(raw))
    joined = " ".join(words)
    angry = lexicon.says("angry", joined) or (raw.isupper() and raw.count("!") >= 2)
    meaning = Meaning(
        raw,
        joined,
        (),
        extract(raw, words),
        angry,
        _polarity(joined),
        _gibberish(words, model),
        raw.endswith("?") or lexicon.says("question", joined),
    )
    if forced := lexicon.first_of("rules", joined):
        return _with(meaning, (Ask(forced, raw),))
    if len(set(lexicon.pattern("words", "foreign").findall(joined))) >= 2:
        return _with(meaning, (Ask("foreign", raw),))
    if meaning.polarity or meaning.gibberish:
        return meaning
    return _with(meaning, _asks(raw))


def _with(meaning: Meaning, asks: tuple[Ask, ...]) -> Meaning:
    return Meaning(
        meaning.text, meaning.words, asks, meaning.slots, meaning.angry, meaning.polarity, False, meaning.question
    )


def _asks(raw: str) -> tuple[Ask, ...]:
    """The whole message's ask, or its parts' where they clearly want different things."""
    whole = _ranked(raw)
    serious = [ask for ask in whole if ask.intent not in SOCIAL]
    parts = [found[0] for part in _parts(raw) if (found := [ask for ask in _ranked(part) if ask.score >= SURE])]
    distinct = _absorb([ask for ask in parts if ask.intent not in SOCIAL and ask.intent != "offtopic"])
    if any(ask.intent in ABOUT_ORDER for ask in distinct):  # what else is told along with a wish is no question
        distinct = [ask for ask in distinct if ask.intent != "knowledge" or _is_question(ask.text)]
    if len(distinct) >= 2:
        return tuple(distinct[:3])
    if serious[0].score >= SURE:
        return (serious[0],)
    if distinct:
        return (Ask(distinct[0].intent, raw, distinct[0].score),)
    best = max([whole[0], *parts], key=lambda ask: ask.score)
    if best.score >= SURE:
        return (best,)
    return (_likeliest(serious),) if order_numbers(raw) else ()


def _is_question(text: str) -> bool:
    return text.endswith("?") or lexicon.says("question", " ".join(tokens(text)))


def _likeliest(asks: list[Ask]) -> Ask:
    """With an order number even a faint wish is about that order; without any, its state is what can be told."""
    about = [ask for ask in asks if ask.intent in ABOUT_ORDER and ask.score >= 0.2]
    return about[0] if about else Ask("order_info", asks[0].text, SURE)


def _absorb(asks: list[Ask]) -> list[Ask]:
    kept: list[Ask] = []
    for ask in asks:
        if any(ask.intent == other.intent and ask.intent != "knowledge" for other in kept):
            continue
        kept.append(ask)
    return [ask for ask in kept if not any(ask.intent in ABSORBS.get(other.intent, ()) for other in kept)]


def _ranked(text: str) -> list[Ask]:
    """Every intent for a text, best first."""
    model = classifier.load()
    words = model.mend(tokens(text))
    found = weighed(model.scores(words), " ".join(words), extract(text, words))
    return [Ask(intent, text, score) for intent, score in found]


def _parts(raw: str) -> list[str]:
    pieces = re.split(
        r"(?<=[.!?;])\s+|\n+|,?\s+(?:and also|also|and (?=(?:what|how|where|when|can|could|do|is|please|i )\b))\s*",
        raw,
        flags=re.I,
    )
    return [piece.strip(" ,") for piece in pieces if len(piece.strip(" ,")) > 2]


def _polarity(joined: str) -> str:
    return next((name for name in ("yes", "no", "why", "more") if lexicon.says(name, joined)), "")


def _gibberish(words: list[str], model: classifier.IntentClassifier) -> bool:
    """No word of it is one we know, and one at least could not be pronounced."""
    if not words:
        return True
    if any(word.isupper() and len(word) > 2 for word in words):
        return False
    if any(model.speller.knows(word) for word in words):
        return False
    return any(lexicon.says("keyboard", word) or not _wordlike(word) for word in words)


def _wordlike(word: str) -> bool:
    if word.isdigit():
        return False
    vowels = sum(letter in "aeiouy" for letter in word)
    return (
        len(word) > 2 and 0.2 <= vowels / len(word) <= 0.7 and not re.search(r"[^aeiouy\W]{4,}|(.)\1\1|(..)\2\2", word)
    )
