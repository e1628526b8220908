"""`manage.py replay_turn <turn_id> [--from-step N] [--model M] [--prompt VERSION]`: a turn taken again, simulated."""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from support_agent.management.base import OpsCommand
from support_agent.models import Replay
from support_agent.runtime.replay import replay_create, run_replay
from support_agent.runtime.replay_compare import as_json
from tickets.errors import DeskError


class Command(OpsCommand):
    help = (
        "Takes an ended turn again with simulated side effects and compares it with the original; exit code 1 when the "
        "replay itself fails. It costs what its model calls cost."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("turn_id", help="the turn's id, as the trace and the export show it")
        parser.add_argument(
            "--from-step", type=int, default=0, metavar="N", help="take the steps before N over; 0: none"
        )
        parser.add_argument("--model", default="", help="small, medium, large or an id, for every call")
        parser.add_argument(
            "--prompt", default="", metavar="VERSION", help="a number, file or active; planner:2 for another"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            replay = replay_create(
                turn_id=UUID(options["turn_id"]),
                from_step=options["from_step"],
                model=options["model"],
                prompt=options["prompt"],
            )
        except ValueError:
            self._wrong(f"“{options['turn_id']}” is not a turn's id")
        except DeskError as refusal:
            self._wrong(refusal.message)
        replay = asyncio.run(run_replay(replay.pk))
        report = as_json(replay)
        if options["json"]:
            self.print_json(report)
        else:
            self.stdout.write("\n".join(lines(report)))
        if replay.state == Replay.State.FAILED:
            sys.exit(1)

    def _wrong(self, message: str) -> None:
        self.stderr.write(f"replay_turn: {message}")
        sys.exit(2)


def lines(report: dict[str, Any]) -> list[str]:
    """The same for a person: steps, what differs, both answers."""
    head = f"replay {report['id']}  {report['state']}  {report['duration_ms']} ms  ${report['cost_usd']:.6f}"
    found = [head, *(f"  note: {note}" for note in report["notes"])]
    if report["error"]:
        found.append(f"  error: {report['error']}")
    for step in report["steps"]:
        name = step.get("tool") or step.get("model", "")
        how = f"  ({step['how']})" if "how" in step else ""
        found.append(
            f"  {step['index']:>3} {step['kind']:<10} {name:<24} {step['duration_ms']:>6} ms  {step['status']}{how}"
        )
    for one in report["differences"]["steps"]:
        at = " / ".join("–" if one[side] is None else str(one[side]) for side in ("original", "replayed"))
        found.append(f"  differs at step {at}: {one['kind']} {one['tool'] or ''} {', '.join(one['differs'])}")
    original = report["original"]
    return [
        *found,
        f"original, {original['outcome']}: {original['text']}",
        f"replay, {report['outcome']}: {report['text']}",
    ]
