"""What every part of the demo data shares: one seeded chance, one 'now', and the rows to be written, in order."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)
Item = TypeVar("Item")
SEED = 20_261_121


class World:
    """The demo shop while it is being built. Nothing reaches the database before `save`.

    The same version of the code makes the same shop every time; its dates are relative to `now`, so that a parcel that
    is on its way is on its way on any day the demo is started.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now.replace(second=0, microsecond=0)
        self.rng = random.Random(SEED)  # noqa: S311 - believable, not secret
        self.rows: dict[type[models.Model], list[Any]] = defaultdict(list)

    def add(self, model: type[Row], at: datetime, /, **fields: Any) -> Row:
        """A row made at `at`: its id sorts by that time, as those of real rows do."""
        row = model(id=self.id_at(at), created_at=at, **fields)
        self.rows[model].append(row)
        return row

    def keep(self, row: Row) -> Row:
        """A row without the id and time of a Record (a join table, an event)."""
        self.rows[type(row)].append(row)
        return row

    def save(self, order: Sequence[type[models.Model]]) -> None:
        """Write everything, parents first. A model missing from `order` is a mistake, not a silent loss."""
        if forgotten := set(self.rows) - set(order):
            raise ValueError(f"no place in the order of writing: {sorted(model.__name__ for model in forgotten)}")
        for model in order:
            model._default_manager.bulk_create(self.rows[model], batch_size=2000)

    def id_at(self, at: datetime) -> uuid.UUID:
        value = int(at.timestamp() * 1000) << 80 | self.rng.getrandbits(80)
        value = value & ~(0xF << 76) | 7 << 76
        return uuid.UUID(int=value & ~(0x3 << 62) | 2 << 62)

    def ago(self, **span: float) -> datetime:
        """The moment that long before now: `ago(days=3, hours=2)`."""
        return self.now - timedelta(**span)

    def between(self, low: float, high: float) -> float:
        return self.rng.uniform(low, high)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, items: Sequence[Item]) -> Item:
        return self.rng.choice(items)

    def weighted(self, weights: dict[Item, float]) -> Item:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def digits(self, count: int) -> str:
        return str(self.rng.randrange(10 ** (count - 1), 10**count))
