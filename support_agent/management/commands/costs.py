"""`manage.py costs --by …`: what the assistant cost."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from support_agent.management.base import OpsCommand
from support_agent.ops.selectors.costs import BY, costs_by


class Command(OpsCommand):
    help = (
        "Prints what the assistant cost, in USD, by day, month, model, customer, tool, conversation, surface or topic."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", choices=BY, required=True, help="what to add up by")

    def handle(self, *args: Any, by: str, **options: Any) -> None:
        costs = costs_by(by)
        if options["json"]:
            self.print_json(costs)
            return
        self.stdout.write(
            f"{by:<36}{'calls':>8}{'input':>12}{'output':>10}{'cache read':>13}{'written':>12}{'USD':>14}"
        )
        for row in costs["rows"]:
            self.stdout.write(
                f"{row[by]!s:<36}{row['calls']:>8}{row['input_tokens']:>12}{row['output_tokens']:>10}"
                f"{row['cache_read_tokens']:>13}{row['cache_write_tokens']:>12}{row['cost_usd']:>14.6f}"
            )
        self.stdout.write(f"{'total':<36}{costs['total_cost_usd']:>69.6f}")
