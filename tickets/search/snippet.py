"""The sentences of a section that answer best, with the question's words marked, as safe HTML."""

from __future__ import annotations

import re

from django.utils.html import escape

START, STOP = "\ue000", "\ue001"  # private use: in no article, and untouched by escaping
LENGTH = 220
LONGEST = 300
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def snippet_html(marked: str) -> str:
    """A short section whole, else about LENGTH characters from where most words between START and STOP stand; escaped,
    with <mark>."""
    sentences = [part for part in _SENTENCE.split(marked) if part.strip()]
    first, taken = 0, sentences
    if len(_bare(marked)) > LONGEST:
        first = max(range(len(sentences)), key=lambda at: (_marks(sentences, at), START in sentences[at], -at))
        taken = _window(sentences, first)
    text = " ".join(taken).strip()
    if len(_bare(text)) > LONGEST:
        text = _cut(text)
    lead = "… " if first else ""
    return str(escape(lead + text)).replace(START, "<mark>").replace(STOP, "</mark>")


def _window(sentences: list[str], first: int) -> list[str]:
    taken: list[str] = []
    for sentence in sentences[first:]:
        if taken and len(_bare(" ".join([*taken, sentence]))) > LENGTH:
            break
        taken.append(sentence)
    return taken


def _marks(sentences: list[str], first: int) -> int:
    """Different marked words within the window that begins here."""
    return len(set(re.findall(f"{START}(.*?){STOP}", " ".join(_window(sentences, first)).lower())))


def _bare(text: str) -> str:
    return text.replace(START, "").replace(STOP, "")


def _cut(text: str) -> str:
    """Shorten a very long sentence at a word, closing a mark that was cut open."""
    short = text[: LENGTH + 40].rsplit(" ", 1)[0]
    if short.count(START) > short.count(STOP):
        short += STOP
    return short + " …"
