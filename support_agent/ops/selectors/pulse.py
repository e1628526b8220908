"""How the assistant does, now and in the span before: few queries, each for both spans at once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, IntegerField, Q, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from support_agent.agent.types import StepKind
from support_agent.env import env
from support_agent.models import Step, Turn
from support_agent.ops.selectors.aggregates import Percentile
from support_agent.ops.spans import Span
from tickets.models import Conversation, Escalation, EscalationReason

TIERS = {env.agent_model_large: "large", env.agent_model_medium: "medium", env.agent_model_small: "small"}


@dataclass(frozen=True, slots=True)
class Pulse:
    """The figures of one span; a share is None where there is nothing to share."""

    turns: int
    conversations: int
    escalated: int  # conversations, those whose customer asked for a person not counted
    cost_usd: Decimal
    judged: int
    accepted: int
    prompt_tokens: int
    cache_read_tokens: int
    median_words: float | None

    @property
    def escalation_share(self) -> float | None:
        return _share(self.escalated, self.conversations)

    @property
    def acceptance(self) -> float | None:
        return _share(self.accepted, self.judged)

    @property
    def cache_share(self) -> float | None:
        return _share(self.cache_read_tokens, self.prompt_tokens)


@dataclass(frozen=True, slots=True)
class Part:
    """One way the turns or calls went: `share` of them all (by number or by cost), `each_usd` on average."""

    name: str
    note: str
    number: int
    share: float
    cost_usd: Decimal
    each_usd: Decimal


def pulses(span: Span) -> tuple[Pulse, Pulse]:
    """(now, before) in three queries. Cost and tokens are those of the steps taken within the span."""
    within = {"now": Q(created_at__gte=span.start), "before": Q(created_at__lt=span.start)}
    found: dict[str, Any] = {}
    for rows, measures in (
        (Turn.objects.all(), _of_turns),
        (Escalation.objects.exclude(reason=EscalationReason.ASKED), _of_escalations),
        (Step.objects.all(), _of_steps),
    ):
        asked = {f"{when}_{name}": one for when, q in within.items() for name, one in measures(q).items()}
        found |= rows.filter(created_at__gte=span.before, created_at__lte=span.end).aggregate(**asked)
    now, before = (_pulse({name: found[f"{when}_{name}"] for name in _NAMES}) for when in within)
    return now, before


def paths_of(span: Span) -> list[Part]:
    """The turns of the span by the path they took, the most used first; those that failed before one have none."""
    rows = (
        Turn.objects.filter(created_at__gte=span.start, created_at__lte=span.end)
        .exclude(path="")
        .order_by()
        .values_list("path")
        .annotate(Count("pk"), Sum("cost_usd"))
    )
    total = sum(number for _, number, _ in rows)
    parts = [Part(path, "", number, number / total, usd, usd / number) for path, number, usd in rows]
    return sorted(parts, key=lambda part: -part.number)


def models_of(span: Span) -> list[Part]:
    """The model calls of the span by model, the dearest first; `note` is the tier the model serves."""
    rows = (
        Step.objects.filter(created_at__gte=span.start, created_at__lte=span.end)
        .exclude(model="")
        .order_by()
        .values_list("model")
        .annotate(Count("pk"), Sum("cost_usd"))
    )
    total = sum((usd for *_, usd in rows), Decimal(0)) or Decimal(1)
    parts = [
        Part(model, TIERS.get(model, ""), number, float(usd / total), usd, usd / number) for model, number, usd in rows
    ]
    return sorted(parts, key=lambda part: -part.cost_usd)


def _of_turns(when: Q) -> dict[str, Any]:
    customers = when & ~Q(conversation__channel=Conversation.Channel.TASK)
    return {
        "turns": Count("pk", filter=when),
        "conversations": Count("conversation", distinct=True, filter=customers),
    }


def _of_escalations(when: Q) -> dict[str, Any]:
    return {"escalated": Count("conversation", distinct=True, filter=when)}


def _of_steps(when: Q) -> dict[str, Any]:
    verdict = when & Q(kind=StepKind.CRITIC.value)
    words = Cast(KeyTextTransform("words", "output"), IntegerField())
    return {
        "cost_usd": Sum("cost_usd", filter=when, default=Decimal(0)),
        "judged": Count("pk", filter=verdict),
        "accepted": Count("pk", filter=verdict & Q(status="ok")),
        "input_tokens": Sum("input_tokens", filter=when, default=0),
        "cache_read_tokens": Sum("cache_read_tokens", filter=when, default=0),
        "cache_write_tokens": Sum("cache_write_tokens", filter=when, default=0),
        "median_words": Percentile(words, 0.5, filter=verdict),
    }


_NAMES = [*_of_turns(Q()), *_of_escalations(Q()), *_of_steps(Q())]


def _pulse(found: dict[str, Any]) -> Pulse:
    prompt = found.pop("input_tokens") + found.pop("cache_write_tokens") + found["cache_read_tokens"]
    return Pulse(prompt_tokens=prompt, **found)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
