"""The seam between search and the model that turns a text into a vector; EMBEDDER names the one in use, or none."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from django.conf import settings
from django.utils.module_loading import import_string
from numpy.typing import NDArray

log = logging.getLogger(__name__)
Vectors = NDArray[np.float32]

FOREIGN_TOPICS = Path(__file__).parent / "data" / "foreign_topics.txt"
KNOWN = {"minilm": "tickets.search.minilm.MiniLM"}
_lock = threading.Lock()
_embedders: dict[str, Embedder | None] = {}


class Embedder(Hashable, Protocol):
    """What another model must offer; its constructor takes no arguments and loads nothing heavy."""

    name: str
    """Stored with each vector; vectors of another name are ignored until the articles are indexed anew."""
    languages: frozenset[str]
    """Language codes it understands."""
    related: float
    """The cosine from which a question and a section are about the same thing, when they share no word and the question
    is like no foreign topic."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text, of length 1, float32. Raises anything when the model cannot be loaded."""
        ...


def get_embedder() -> Embedder | None:
    """The configured embedder, made once per process; None when there is none or it cannot be made."""
    path = settings.EMBEDDER
    if path not in _embedders:
        with _lock:
            if path not in _embedders:
                _embedders[path] = _make(path)
    return _embedders[path]


def _make(path: str) -> Embedder | None:
    if path in ("", "none"):
        return None
    try:
        embedder: Embedder = import_string(KNOWN.get(path, path))()
    except Exception:
        log.warning("embedder_unavailable", exc_info=True, extra={"embedder": path})
        return None
    return embedder


def embed_query(embedder: Embedder, text: str) -> Vectors | None:
    """One question's vector, or None when the model fails: search then goes on lexically."""
    try:
        return _embed_cached(embedder, " ".join(text.split()))
    except Exception:
        log.warning("embedding_failed", exc_info=True, extra={"embedder": embedder.name})
        return None


@lru_cache(maxsize=512)
def _embed_cached(embedder: Embedder, text: str) -> Vectors:
    vector: Vectors = embedder.embed([text])[0]
    return vector


@lru_cache(maxsize=4)
def foreign_topics(embedder: Embedder) -> Vectors:
    """Vectors of what people ask elsewhere: a question nearer to one of these than to our articles is not for us."""
    return embedder.embed(FOREIGN_TOPICS.read_text(encoding="utf-8").splitlines())


def embedder_status() -> tuple[bool, str]:
    """Whether semantic search works, and a sentence for people (`make doctor`)."""
    path = settings.EMBEDDER
    if path in ("", "none"):
        return True, "Search is lexical only, as EMBEDDER=none asks for."
    embedder = get_embedder()
    try:
        if embedder is None:
            raise RuntimeError(f"{path} cannot be loaded")
        dimensions = embedder.embed(["delivery"]).shape[1]
    except Exception as error:
        return False, (
            f"Search is lexical only, because its model does not work ({error}): install requirements.txt again, or "
            "set EMBEDDER=none."
        )
    languages = ", ".join(sorted(embedder.languages))
    return True, f"Search is semantic and lexical: {embedder.name}, {dimensions} dimensions, languages: {languages}."
