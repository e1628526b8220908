"""The language data of `lexicon.yaml` and `intents.yaml`, read once per process, and its small pattern syntax."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # ten times faster, in every wheel of PyYAML
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]


@cache
def data(name: str) -> Any:
    """The parsed content of `<name>.yaml` beside this file."""
    return yaml.load(_read(f"{name}.yaml"), Loader=SafeLoader)


@cache
def common_words() -> frozenset[str]:
    """English words that are spelled right though no training phrase holds them."""
    return frozenset(_read("words.txt").split())


def any_of(alternatives: Iterable[str]) -> re.Pattern[str]:
    """One pattern for whole words: `damag*` is any ending, ` ~ ` up to five words in between."""
    return _compiled(tuple(alternatives))


@cache
def _compiled(alternatives: tuple[str, ...]) -> re.Pattern[str]:
    parts = []
    for alternative in alternatives:
        open_ended = re.sub(r"(?<=[a-z])\*", r"\\w*", alternative)
        parts.append(open_ended.replace(" ~ ", r"(?: [\w-]+){0,5}? "))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-])")


@cache
def pattern(section: str, name: str) -> re.Pattern[str]:
    return any_of(data("lexicon")[section][name])


def first_of(section: str, words: str) -> str:
    """The first name of the section whose patterns occur in the words, or ''."""
    return next((name for name in data("lexicon")[section] if pattern(section, name).search(words)), "")


def says(name: str, words: str) -> bool:
    """Whether the words hold what `words.<name>` lists."""
    return bool(pattern("words", name).search(words))


def _read(name: str) -> str:
    return files("support_agent.llm.demo").joinpath(name).read_text("utf-8")
