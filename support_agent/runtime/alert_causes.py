"""Who and what is behind an alert: the hour's top customers, tools, prompt versions and cache share. Three queries.

No names and no whole addresses: what is found here leaves the house by mail and webhook.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from support_agent.agent.toolkit import Status
from support_agent.models import ToolCall, Turn
from tickets.services.identity import mask_email

Json = dict[str, Any]
WINDOW, TOP = timedelta(hours=1), 3
BAD_STATUSES = [Status.ERROR.value, Status.DEGRADED.value]
SCOPES = {"conversation": "conversation_id", "customer": "conversation__customer_id",
          "address": "conversation__address_hash", "surface": "surface"}  # fmt: skip


def causes_of(details: Mapping[str, Any], now: datetime) -> Json:
    """The hour up to now, narrowed to the conversation, customer, address or surface that the details name."""
    start = now - WINDOW
    turns = Turn.objects.filter(created_at__gte=start, created_at__lte=now)
    for name, field in SCOPES.items():
        if value := details.get(name):
            turns = turns.filter(**{field: value})
    versions = _versions(turns)
    cost = sum((row["cost"] or Decimal(0) for row in versions), Decimal(0))
    number = sum(row["n"] for row in versions)
    return {
        "since": start.isoformat(),
        "until": now.isoformat(),
        "turns": number,
        "cost_usd": f"{cost:.4f}",
        "customers": _customers(turns, cost),
        "tools": _tools(turns, start),
        "prompts": [{"version": row["prompt_version"], "turns": row["n"]} for row in versions if row["prompt_version"]][
            :TOP
        ],
        "cache_share": _cache_share(versions),
    }


def _versions(turns: QuerySet[Turn]) -> list[dict[str, Any]]:
    rows = turns.order_by().values("prompt_version").annotate(
        n=Count("pk"), cost=Sum("cost_usd"), fresh=Sum("input_tokens"), read=Sum("cache_read_tokens"),
        written=Sum("cache_write_tokens"),
    )  # fmt: skip
    return sorted((dict(row) for row in rows), key=lambda row: -row["n"])


def _cache_share(versions: list[dict[str, Any]]) -> float | None:
    read = sum(row["read"] or 0 for row in versions)
    prompt = read + sum((row["fresh"] or 0) + (row["written"] or 0) for row in versions)
    return round(read / prompt, 4) if prompt else None


def _customers(turns: QuerySet[Turn], cost: Decimal) -> list[Json]:
    keys = ("conversation__customer_id", "conversation__customer__email", "conversation__address_hash")
    rows = turns.order_by().values(*keys).annotate(n=Count("pk"), cost=Sum("cost_usd")).order_by("-cost", "-n")[:TOP]
    found = []
    for row in rows:
        customer, spent = row["conversation__customer_id"], row["cost"] or Decimal(0)
        found.append(
            {
                "id": str(customer) if customer else "",
                "shown": mask_email(row["conversation__customer__email"])
                if customer
                else f"anonymous {row['conversation__address_hash'][:8]}".strip(),
                "turns": row["n"],
                "cost_usd": f"{spent:.4f}",
                "share": round(float(spent / cost), 4) if cost else None,
            }
        )
    return found


def _tools(turns: QuerySet[Turn], start: datetime) -> list[Json]:
    calls = ToolCall.objects.filter(created_at__gte=start, turn__in=turns)
    rows = (
        calls.order_by().values("tool").annotate(n=Count("pk"), failed=Count("pk", filter=Q(status__in=BAD_STATUSES)))
    )
    ranked = sorted(rows, key=lambda row: (-row["failed"], -row["n"]))[:TOP]
    return [{"tool": row["tool"], "calls": row["n"], "failed": row["failed"]} for row in ranked]
