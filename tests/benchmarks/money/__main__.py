"""Play everything in a database of its own and write what was found as JSON: `python -m tests.benchmarks.money OUT`.

A process of its own, with Django set up over the PostgreSQL that TEST_DATABASE_URL names; progress goes to stdout.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import django

django.setup()

from support_agent.agent.memory import COMPRESS_AT  # noqa: E402
from support_agent.evals.world import throwaway_database  # noqa: E402
from tests.benchmarks.money.findings import Findings, figures, notes  # noqa: E402
from tests.benchmarks.money.load import long_talk, seeded_load, ten_turns  # noqa: E402
from tests.benchmarks.money.play import Way, played, remembering, say  # noqa: E402
from tests.benchmarks.money.tally import THINKING_TOKENS  # noqa: E402

PAST_TOKENS, LONG_TURNS = COMPRESS_AT - 200, 24  # compression is due after the first turns
ROUNDS, ROUNDS_LONG = 1, 5


def main(out: Path, *, is_long: bool) -> None:
    with throwaway_database():
        found = asyncio.run(_findings(ROUNDS_LONG if is_long else ROUNDS))
    shown = [asdict(figure) for figure in figures(found)]
    values = {"figures": shown, "notes": notes(found), "thinking": THINKING_TOKENS}
    out.write_text(json.dumps(values), encoding="utf-8")


async def _findings(rounds: int) -> Findings:
    say("ten turns on one toolset and model, with and without a breakpoint after the history")
    ten = await played([ten_turns()], Way(routes=False))
    unmarked = await played([ten_turns()], Way(routes=False, marks_history=False))
    say("the seeded load, as routed")
    routed = await played(seeded_load(rounds))
    say("the seeded load without routing")
    medium = await played(seeded_load(rounds), Way(routes=False))
    long = [long_talk(LONG_TURNS)]
    say("a long conversation, compressed and whole")
    compressed = await played(long, Way(routes=False), before=remembering(PAST_TOKENS))
    whole = await played(long, Way(routes=False, compresses=False), before=remembering(PAST_TOKENS))
    return Findings(ten, unmarked, routed, medium, compressed, whole)


if __name__ == "__main__":
    main(Path(sys.argv[1]), is_long="--long" in sys.argv)
