"""How are tokens distributed, and which kinds are dear?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Sum

from support_agent.agent.types import Usage
from support_agent.llm.pricing import cost_usd
from support_agent.models import Step, Turn
from support_agent.ops.questions.base import Answer, Asked, Cell, Question, Table, heads, part
from support_agent.ops.selectors.spreads import spreads
from support_agent.templatetags.desk import usd

Row = dict[str, Any]
KINDS = {"input_tokens": "Input, not cached", "cache_read_tokens": "Read from the cache",
         "cache_write_tokens": "Written to the cache", "output_tokens": "Output"}  # fmt: skip
TOP = 15
UNIT = 1000
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def answer(asked: Asked) -> Answer:
    calls = _calls(asked)
    if not calls:
        return Answer(f"No model was called {asked.words}.")
    kinds = _kinds(calls)
    tables = [_token_table(kinds), _call_table(asked, calls), _surface_table(asked), _top_table(asked)]
    return Answer(_sentence(asked, calls, kinds), tables)


def _calls(asked: Asked) -> list[Row]:
    """Model calls by kind of step and model, with percentiles of one call's tokens."""
    steps = Step.objects.filter(asked.in_span(), asked.turns("turn__")).exclude(model="")
    if asked.model:
        steps = steps.filter(model=asked.model)
    whole = F("input_tokens") + F("cache_read_tokens") + F("cache_write_tokens") + F("output_tokens")
    sums = {f"sum_{name}": Sum(name) for name in (*KINDS, "cost_usd")}
    found = []
    for (kind, model), spread in spreads(steps, ("kind", "model"), whole, **sums).items():
        figures = {name: spread.sums[f"sum_{name}"] for name in KINDS}
        shares = {name: spread.at(share) for name, share in SHARES.items()}
        found.append({"kind": kind, "model": model, "calls": spread.number, "cost": spread.sums["sum_cost_usd"],
                      **figures, **shares})  # fmt: skip
    return sorted(found, key=lambda row: -row["cost"])


def _kinds(calls: list[Row]) -> dict[str, tuple[int, Decimal]]:
    """Tokens and money by kind of token: each model's tokens at its price of today."""
    found = {}
    for name in KINDS:
        tokens = sum(row[name] for row in calls)
        found[name] = (tokens, sum((_price(row["model"], name) * row[name] for row in calls), Decimal(0)))
    return found


def _price(model: str, kind: str) -> Decimal:
    """Of one token; nothing for a model whose price is not known."""
    try:
        return cost_usd(model, Usage(**{kind: UNIT})) / UNIT
    except LookupError:
        return Decimal(0)


def _sentence(asked: Asked, calls: list[Row], kinds: dict[str, tuple[int, Decimal]]) -> str:
    tokens, cost = sum(count for count, _ in kinds.values()), sum((row["cost"] for row in calls), Decimal(0))
    dearest = max(kinds, key=lambda name: kinds[name][1])
    money = sum((worth for _, worth in kinds.values()), Decimal(0))
    prompt = tokens - kinds["output_tokens"][0]
    top = calls[0]
    share, worth = part(kinds[dearest][0], tokens), part(float(kinds[dearest][1]), float(money))
    most = f"{top['kind'].replace('_', ' ')}s of {top['model']} ({part(float(top['cost']), float(cost))})"
    return (
        f"{tokens:,} tokens cost {usd(cost)} {asked.words}. The dearest kind is {KINDS[dearest].lower()}: "
        f"{share} of the tokens, {worth} of the money. Most is spent by {most}; "
        f"{part(kinds['cache_read_tokens'][0], prompt)} of all prompt tokens came from the cache."
    )  # fmt: skip


def _token_table(kinds: dict[str, tuple[int, Decimal]]) -> Table:
    tokens, money = sum(n for n, _ in kinds.values()), sum((usd for _, usd in kinds.values()), Decimal(0))
    rows = [
        [
            Cell(KINDS[name], name),
            Cell(f"{count:,}", count),
            Cell(part(count, tokens), round(count / tokens, 4) if tokens else 0, bar=count / tokens if tokens else 0),
            Cell(usd(worth), worth.quantize(Decimal("0.000001"))),
            Cell(part(float(worth), float(money)), bar=float(worth / money) if money else 0),
        ]
        for name, (count, worth) in kinds.items()
    ]
    return Table(
        "token-kinds",
        "By kind of token",
        heads("Tokens | Number# | Share# | Worth# | Share of the money#"),
        rows,
        note="Worth is at today's prices; what calls really cost, failed and cut ones included, stands below.",
    )


def _call_table(asked: Asked, calls: list[Row]) -> Table:
    cost = sum((row["cost"] for row in calls), Decimal(0))
    rows = []
    for row in calls:
        prompt = row["input_tokens"] + row["cache_read_tokens"] + row["cache_write_tokens"]
        share = float(row["cost"] / cost) if cost else 0.0
        behind = asked.steps(kind=row["kind"], model=row["model"], sort="dearest")
        rows.append([
            Cell(row["kind"].replace("_", " "), row["kind"], behind),
            Cell(row["model"]),
            Cell(f"{row['calls']:,}", row["calls"]),
            *(Cell(f"{row[name]:,}", row[name]) for name in KINDS),
            Cell(part(row["cache_read_tokens"], prompt), round(row["cache_read_tokens"] / prompt, 4) if prompt else 0),
            *(Cell(f"{row[name]:,.0f}", round(row[name])) for name in ("p50", "p95", "p99")),
            Cell(usd(row["cost"]), row["cost"]),
            Cell(f"{share:.1%}", round(share, 4), bar=share),
        ])  # fmt: skip
    return Table(
        "calls",
        "By kind of step and model",
        heads(
            "Step | Model | Calls# | Input# | Cache read# | Cache written# | Output# | Cached# | p50 of a call# | p95#"
            " | p99# | Cost# | Share#"
        ),
        rows,
    )


def _surface_table(asked: Asked) -> Table:
    """By where customers are; a turn has one surface, so its totals do."""
    sums = {name: Sum(name) for name in KINDS}
    found = Turn.objects.filter(asked.in_span(), asked.turns()).order_by().values("surface")
    rows_found: list[Row] = [dict(row) for row in found.annotate(turns=Count("pk"), cost=Sum("cost_usd"), **sums)]
    groups = sorted(rows_found, key=lambda row: -row["cost"])
    cost = sum((row["cost"] for row in groups), Decimal(0))
    rows = []
    for row in groups:
        prompt = row["input_tokens"] + row["cache_read_tokens"] + row["cache_write_tokens"]
        share = float(row["cost"] / cost) if cost else 0.0
        rows.append([
            Cell(row["surface"].replace("_", " "), row["surface"], asked.traces(surface=row["surface"])),
            Cell(f"{row['turns']:,}", row["turns"]),
            Cell(f"{prompt:,}", prompt),
            Cell(part(row["cache_read_tokens"], prompt)),
            Cell(f"{row['output_tokens']:,}", row["output_tokens"]),
            Cell(usd(row["cost"] / row["turns"]), row["cost"] / row["turns"]),
            Cell(usd(row["cost"]), row["cost"]),
            Cell(f"{share:.1%}", round(share, 4), bar=share),
        ])  # fmt: skip
    return Table(
        "surfaces",
        "By surface",
        heads("Surface | Turns# | Prompt# | Cached# | Output# | A turn# | Cost# | Share#"),
        rows,
    )


def _top_table(asked: Asked) -> Table:
    turns = Turn.objects.filter(asked.in_span(), asked.turns()).order_by().values("conversation")
    prompt = Sum(F("input_tokens") + F("cache_read_tokens") + F("cache_write_tokens"))
    ranked = turns.annotate(prompt=prompt, turns=Count("pk"), taken=Sum("step_count"), output=Sum("output_tokens"),
                            cost=Sum("cost_usd")).order_by("-cost")[:TOP]  # fmt: skip
    found = list(
        ranked.values_list("conversation", "conversation__reference", "turns", "taken", "prompt", "output", "cost")
    )
    rows = [
        [
            Cell(reference, href=f"/admin/traces/{key}/"),
            *(Cell(f"{number:,}", number) for number in numbers),
            Cell(usd(cost), cost),
        ]
        for key, reference, *numbers, cost in found
    ]
    return Table(
        "conversations",
        "The dearest conversations",
        heads("Conversation | Turns# | Steps# | Prompt# | Output# | Cost#"),
        rows,
    )


TOKENS = Question(
    slug="tokens",
    title="How are tokens distributed, and which kinds are dear?",
    about="Tokens and money by kind of token, step, model and surface, and the dearest conversations.",
    answer=answer,
    filters=("surface", "path", "topic", "model", "prompt"),
)
