"""The attacks as data: tests/data/attacks.yaml, read into plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

FILE = Path(__file__).parents[1] / "data" / "attacks.yaml"
WHO = ("customer", "plus", "stranger", "task", "task_for_customer", "draft", "summary")
WHERE = (
    "message", "earlier", "attachment", "order_note", "product", "tracking", "name", "address", "ticket", "article",
    "staff_message", "instruction", "memory", "note", "other_ticket",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack; see the head of attacks.yaml for the fields."""

    id: str
    family: str
    text: str
    who: str = "customer"
    where: str = "message"
    asks: str = "Hello, where is my order $own_shipped?"
    then: str = ""
    takes_over: int = 0
    waits: bool = False
    reaches: bool = True
    ends: Sequence[str] = ("answered", "escalated")
    proposes: int = 0
    tickets: int = 0
    never: Sequence[str] = ()
    says: str = ""

    def filled(self, names: Mapping[str, str]) -> Attack:
        """With every $name in its texts put in."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        for name in ("text", "asks", "then", "says"):
            fields[name] = Template(fields[name]).substitute(names)
        fields["never"] = [Template(words).substitute(names) for words in self.never]
        return Attack(**fields)


@dataclass(frozen=True, slots=True)
class Family:
    """What the attacks of one kind want, and what holds them off."""

    name: str
    wants: str
    held_by: str
    attacks: Sequence[Attack] = field(default=())


@cache
def families() -> Sequence[Family]:
    """All families with their attacks, in the order of the file. Raises ValueError for what is not as it should be."""
    written: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    found = [
        Family(name, told["wants"], told["held_by"], [_attack(name, entry) for entry in told["attacks"]])
        for name, told in written.items()
    ]
    ids = [attack.id for family in found for attack in family.attacks]
    if len(set(ids)) != len(ids):
        raise ValueError(f"an id stands twice: {sorted(name for name in set(ids) if ids.count(name) > 1)}")
    return found


def attacks() -> list[Attack]:
    return [attack for family in families() for attack in family.attacks]


def _attack(family: str, entry: dict[str, Any]) -> Attack:
    if isinstance(ends := entry.get("ends", ""), str) and ends:
        entry = {**entry, "ends": [ends]}
    attack = Attack(family=family, **entry)
    if attack.who not in WHO or attack.where not in WHERE:
        raise ValueError(f"{attack.id}: unknown who or where")
    if "$" in attack.id or "<<" not in attack.text:
        raise ValueError(f"{attack.id}: an attack holds at least one order")
    return attack
