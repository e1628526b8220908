"""Topics are the planner's own words, so a rare one may tell of somebody; sums by hour and day keep them by name."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import F, Model

from support_agent.models import Turn, TurnDay, TurnHour
from support_agent.models.rollups import TURN_KEY

SPANS: tuple[tuple[type[Model], str], ...] = ((TurnHour, "hour"), (TurnDay, "day"))


def forget_topics(topics: Collection[str]) -> int:
    """Sums of topics that no turn has any more join those without one; how many rows. Those of others too stay."""
    gone = set(topics) - set(Turn.objects.filter(topic__in=topics).values_list("topic", flat=True)) - {""}
    return sum(_merge(model, moment, gone) for model, moment in SPANS) if gone else 0


def _merge(model: type[Model], moment: str, gone: Collection[str]) -> int:
    kept = {"id", moment, *TURN_KEY}
    sums = [field.name for field in model._meta.concrete_fields if field.name not in kept]
    rows = list(model._default_manager.filter(topic__in=gone))
    for row in rows:
        key = {name: getattr(row, name) for name in (moment, *TURN_KEY)} | {"topic": ""}
        added = {name: F(name) + getattr(row, name) for name in sums}
        if not model._default_manager.filter(**key).update(**added):
            model._default_manager.filter(pk=row.pk).update(topic="")
        else:
            row.delete()
    return len(rows)
