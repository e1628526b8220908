"""Which calls are slow?"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from support_agent.agent.types import StepKind
from support_agent.models import Step
from support_agent.ops.questions.base import Answer, Asked, Cell, Question, Table, heads, many
from support_agent.ops.selectors.spreads import Spread, spreads
from support_agent.templatetags.desk import span

Row = dict[str, Any]
EXAMPLES = 15
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
CALLING = (StepKind.MODEL_CALL, StepKind.PLAN, StepKind.COMPRESS, StepKind.TOOL_CALL)


def answer(asked: Asked) -> Answer:
    calls = _calls(asked)
    models = [row for row in calls if row["model"]]
    tools = [row for row in calls if not row["model"]]
    if not calls:
        return Answer(f"Nothing was called {asked.words}.")
    tables = [
        table for table in (_model_table(asked, models), _tool_table(asked, tools), _slowest(asked)) if table.rows
    ]
    return Answer(_sentence(asked, models, tools), tables)


def _steps(asked: Asked) -> QuerySet[Step]:
    steps = Step.objects.filter(asked.in_span(), asked.turns("turn__")).order_by()
    if asked.model:
        steps = steps.filter(model=asked.model)
    return steps.filter(tool=asked.tool) if asked.tool else steps


def _calls(asked: Asked) -> list[Row]:
    """Calls of models and tools, those with the highest 95th percentile first."""
    names = ("kind", "model", "tool")
    steps = _steps(asked).filter(kind__in=CALLING)
    firsts = spreads(steps.filter(ttft_ms__isnull=False), names, "ttft_ms")
    found = []
    for key, spread in spreads(steps, names, "duration_ms").items():
        first = firsts.get(key, Spread())
        shares = {name: spread.at(share) or 0.0 for name, share in SHARES.items()}
        found.append(dict(zip(names, key, strict=True)) | shares | {
            "calls": spread.number, "first50": first.at(0.5), "first95": first.at(0.95)})  # fmt: skip
    return sorted(found, key=lambda row: -row["p95"])


def _sentence(asked: Asked, models: list[Row], tools: list[Row]) -> str:
    said = []
    if models:
        one = models[0]
        said.append(
            f"The slowest model calls {asked.words} are {one['kind'].replace('_', ' ')}s of {one['model']}: half take "
            f"{_ms(one['p50'])}, one in twenty longer than {_ms(one['p95'])}"
            + (f", with the first token after {_ms(one['first50'])}" if one["first50"] is not None else "")
        )  # fmt: skip
    if tools:
        one = tools[0]
        lead = "the slowest tool is" if said else f"The slowest tool {asked.words} is"
        calls = many(one["calls"], "call")
        said.append(f"{lead} {one['tool']}: one in twenty of its {calls} takes longer than {_ms(one['p95'])}")
    return "; ".join(said) + "."


def _model_table(asked: Asked, models: list[Row]) -> Table:
    worst = max((row["p95"] for row in models), default=0) or 1
    rows = [
        [
            Cell(row["model"], href=asked.steps(kind=row["kind"], model=row["model"], sort="slowest")),
            Cell(row["kind"].replace("_", " "), row["kind"]),
            Cell(f"{row['calls']:,}", row["calls"]),
            Cell(_ms(row["p50"]), round(row["p50"])),
            Cell(_ms(row["p95"]), round(row["p95"]), bar=row["p95"] / worst),
            Cell(_ms(row["p99"]), round(row["p99"])),
            *(Cell(_ms(row[name]), "" if row[name] is None else round(row[name])) for name in ("first50", "first95")),
        ]
        for row in models
    ]
    return Table(
        "models",
        "Model calls",
        heads("Model | Step | Calls# | p50# | p95# | p99# | First token p50# | p95#"),
        rows,
    )


def _tool_table(asked: Asked, tools: list[Row]) -> Table:
    worst = max((row["p95"] for row in tools), default=0) or 1
    rows = [
        [
            Cell(row["tool"], href=asked.steps(kind="tool_call", tool=row["tool"], sort="slowest")),
            Cell(f"{row['calls']:,}", row["calls"]),
            Cell(_ms(row["p50"]), round(row["p50"])),
            Cell(_ms(row["p95"]), round(row["p95"]), bar=row["p95"] / worst),
            Cell(_ms(row["p99"]), round(row["p99"])),
        ]
        for row in tools
    ]
    return Table("tools", "Tool calls", heads("Tool | Calls# | p50# | p95# | p99#"), rows)


def _slowest(asked: Asked) -> Table:
    ids = list(_steps(asked).order_by("-duration_ms", "-created_at").values_list("pk", flat=True)[:EXAMPLES])
    found = Step.objects.filter(pk__in=ids).select_related("turn__conversation").defer("input", "output")
    rows = [
        [
            Cell(step.turn.conversation.reference,
                 href=f"/admin/traces/{step.turn.conversation_id}/?turn={step.turn_id}#step-{step.pk}"),
            Cell(f"{step.created_at:%-d %b, %H:%M}", step.created_at.isoformat()),
            Cell(step.kind.replace("_", " "), step.kind),
            Cell(step.tool or step.model),
            Cell(step.status.replace("_", " "), step.status),
            Cell(_ms(step.duration_ms), step.duration_ms),
            Cell(_ms(step.ttft_ms), step.ttft_ms if step.ttft_ms is not None else ""),
            Cell(f"{step.output_tokens:,}" if step.model else "", step.output_tokens),
        ]
        for step in sorted(found, key=lambda step: -step.duration_ms)
    ]  # fmt: skip
    return Table(
        "slowest",
        "The slowest",
        heads("Conversation | When | Step | Which | Status | Took# | First token# | Output tokens#"),
        rows,
    )


def _ms(value: float | None) -> str:
    return span(None if value is None else round(value))


SLOW_CALLS = Question(
    slug="slow-calls",
    title="Which calls are slow?",
    about="How long models and tools take, to the first token and in all, with the slowest of them.",
    answer=answer,
    filters=("surface", "topic", "model", "tool", "prompt"),
)
