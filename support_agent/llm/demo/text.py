"""Customers' words made comparable: shorthand spelled out, codes named, typos mended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

SHORTHAND = {
    "u": "you",
    "ur": "your",
    "r": "are",
    "ure": "you are",
    "youre": "you are",
    "ya": "you",
    "im": "i am",
    "ive": "i have",
    "ill": "i will",
    "dont": "do not",
    "dnt": "do not",
    "didnt": "did not",
    "didn": "did not",
    "doesnt": "does not",
    "cant": "can not",
    "cannot": "can not",
    "couldnt": "could not",
    "wont": "will not",
    "isnt": "is not",
    "hasnt": "has not",
    "havent": "have not",
    "wasnt": "was not",
    "arent": "are not",
    "wouldnt": "would not",
    "wheres": "where is",
    "whats": "what is",
    "hows": "how is",
    "whos": "who is",
    "whens": "when is",
    "thats": "that is",
    "theres": "there is",
    "heres": "here is",
    "lets": "let us",
    "pls": "please",
    "plz": "please",
    "plse": "please",
    "pleas": "please",
    "thx": "thanks",
    "thnx": "thanks",
    "tnx": "thanks",
    "ty": "thank you",
    "tysm": "thank you",
    "tks": "thanks",
    "wen": "when",
    "wat": "what",
    "wut": "what",
    "wot": "what",
    "whr": "where",
    "wher": "where",
    "wer": "where",
    "hv": "have",
    "hav": "have",
    "gt": "get",
    "nd": "and",
    "n": "and",
    "b4": "before",
    "abt": "about",
    "bc": "because",
    "cuz": "because",
    "coz": "because",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "have to",
    "gimme": "give me",
    "lemme": "let me",
    "msg": "message",
    "acc": "account",
    "acct": "account",
    "pw": "password",
    "pwd": "password",
    "passwd": "password",
    "addr": "address",
    "nr": "number",
    "num": "number",
    "ord": "order",
    "ordr": "order",
    "dlvry": "delivery",
    "deliv": "delivery",
    "pkg": "package",
    "pckg": "package",
    "rn": "right now",
    "w": "with",
    "k": "ok",
    "kk": "ok",
    "okay": "ok",
    "okey": "ok",
    "yea": "yes",
    "yeah": "yes",
    "yep": "yes",
    "yup": "yes",
    "yess": "yes",
    "nope": "no",
    "nah": "no",
    "email": "e-mail",
    "emails": "e-mails",
    "mail": "e-mail",
    "color": "colour",
    "colors": "colours",
    "shipd": "shipped",
    "delivrd": "delivered",
    "tmrw": "tomorrow",
    "tmr": "tomorrow",
    "2day": "today",
    "2moro": "tomorrow",
    "coulda": "could",
    "shes": "she is",
    "hes": "he is",
    "sum1": "someone",
    "some1": "someone",
    "rep": "representative",
    "cs": "customer service",
    "recieved": "received",
    "recieve": "receive",
    "recived": "received",
    "luv": "love",
    "ppl": "people",
    "dat": "that",
    "da": "the",
    "dis": "this",
    "gud": "good",
    "sz": "size",
    "wrng": "wrong",
    "brkn": "broken",
    "hlp": "help",
    "wk": "week",
    "wks": "weeks",
    "yr": "your",
    "cld": "could",
    "wld": "would",
    "shd": "should",
    "bout": "about",
    "til": "until",
    "till": "until",
    "prob": "problem",
    "info": "information",
    "asap": "quickly",
    "hq": "headquarters",
    "itll": "it will",
    "id": "id",
    "y": "why",
    "hmu": "contact me",
    "wanted": "want",
    "needs": "need",
}

CODES = (  # the order matters: the longer code first
    ("EMAIL", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("TRACKING", re.compile(r"\bald\s?\d{10}\b")),
    ("INVOICE", re.compile(r"\binv[-\s]?\d{6}\b")),
    ("RETURN", re.compile(r"\br-\d{6}\b")),
    ("TICKET", re.compile(r"\bt-\d{5}\b")),
    ("ORDER", re.compile(r"(?:\bap[-\s_]{0,3}\d{6}|#\s?\d{6}|\b\d{6})\b")),
    ("SKU", re.compile(r"\b[a-z]{3}-[a-z0-9]{2,4}-[a-z0-9]{2,4}\b")),
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
    lowered = clean(text).lower()
    for name, pattern in CODES:
        lowered = pattern.sub(f" {name} ", lowered)
    lowered = re.sub(r"(?<=[a-z])'(?=[a-z])", "", lowered)
    lowered = re.sub(r"([a-z])\1{2,}", r"\1\1", lowered)  # heeelp, soooo
    words: list[str] = []
    for word in _TOKEN.findall(lowered):
        words.extend(SHORTHAND.get(word, word).split(" "))
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
        return word in self._known or word in self._guarded

    def mend(self, word: str) -> str:
        """The known word meant, or the word itself."""
        if len(word) < 4 or not word.isalpha() or word.isupper() or self.knows(word):
            return word
        for cut in (word, *_cuts(word)):
            meant = self._near.get(cut) or (cut if cut in self._known and len(cut) >= 4 else None)
            if meant and abs(len(meant) - len(word)) <= 1 and meant[0] == word[0]:
                return meant
        return word


def _cuts(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]
