"""The texts that the classifier learns from and is measured on, expanded from families of templates.

A family lies in one split, so that what is measured never looks like what was trained on. The same files give the same
texts in the same order.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from support_agent.env import BASE_DIR

Split = Literal["train", "val", "test"]
Kind = Literal["attacks", "innocent", "ordinary"]
FOLDER = Path(__file__).parent / "data"
PER_FAMILY: Mapping[Kind, int] = {"attacks": 60, "innocent": 90, "ordinary": 320}
_SLOT = re.compile(r"<(\w+)>")
_LOOKALIKES = str.maketrans("aeopcxyi", "аеорсхуі")
_LEET = str.maketrans("oieas", "013@5")


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    kind: Kind
    split: Split
    texts: tuple[str, ...]


@cache
def families(kind: Kind) -> tuple[Family, ...]:
    """The families of a file, each expanded to at most PER_FAMILY different texts."""
    found = []
    for part in re.split(r"^= ", (FOLDER / f"{kind}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, *templates = [line for line in part.splitlines() if line]
        name, split = head.split()
        assert split in ("train", "val", "test"), head
        found.append(Family(name, kind, split, tuple(_expanded(name, templates, PER_FAMILY[kind]))))  # type: ignore[arg-type]
    return tuple(found)


def texts(kind: Kind, split: Split) -> list[str]:
    return [text for family in families(kind) if family.split == split for text in family.texts]


def written() -> list[str]:
    """What customers write by the project's other labelled files, none of it seen in training."""
    data = BASE_DIR / "tests" / "data"
    phrasings = yaml.safe_load((data / "demo_phrasings.yaml").read_text(encoding="utf-8"))
    labels = yaml.safe_load((data / "search_labels.yaml").read_text(encoding="utf-8"))
    found = [str(entry["text"]) for entry in phrasings if not entry.get("attack")]
    found += [str(entry["query"]) for entry in labels["labels"]] + [str(query) for query in labels["nothing"]]
    return list(dict.fromkeys(found))


DISGUISES: Mapping[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "leetspeak": lambda text: text.translate(_LEET),
    "zero-width": lambda text: "\u200b".join(text),
    "look-alikes": lambda text: text.translate(_LOOKALIKES),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "percent": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "capitals": str.upper,
}


def _expanded(name: str, templates: list[str], most: int) -> Iterator[str]:
    """Different texts, the same number of each template."""
    each = -(-most // len(templates))
    for template in templates:
        dice = random.Random(f"{name}: {template}")  # noqa: S311 - the same texts each time is the point
        seen = dict.fromkeys(_tidy(_drawn(template, dice)) for _ in range(8 * each))
        yield from list(seen)[:each]


def _drawn(template: str, dice: random.Random) -> str:
    """One text: a choice of each [a|b], innermost first, a word for each <slot>."""
    slots = _slots()
    text = template
    while match := re.search(r"\[([^\[\]]*\|[^\[\]]*)\]", text):
        text = text[: match.start()] + dice.choice(match[1].split("|")) + text[match.end() :]
    return _SLOT.sub(lambda slot: dice.choice(slots[slot[1]]) if slot[1] in slots else slot[0], text)


def _tidy(text: str) -> str:
    return re.sub(r" +(?=[,.;]|$)", "", re.sub(r" {2,}", " ", text)).replace("⏎", "\n").strip()


@cache
def _slots() -> dict[str, list[str]]:
    lines = (FOLDER / "slots.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(": ", 1) for line in lines if line and line[0] != "#"]
    return {name: words.split(" | ") for name, words in pairs}
