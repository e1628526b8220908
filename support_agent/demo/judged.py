"""What staff said of past answers, drawn as the job draws them, and two evaluation runs."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from support_agent.intervals import wilson
from support_agent.models import EvalResult, EvalRun, RunState, SpotCheck, SpotLabel, Turn
from support_agent.runtime.spot_draw import FEWEST, PAIRED, quotas
from tickets.demo.world import World
from tickets.models import Conversation, Escalation, Feedback, Message, User

DAYS = 35
JUDGES = ("agent", "agent2", "lead")
Drawn = SpotCheck.Drawn
NOTES = ("The deadline is another one.", "Cites the wrong article.", "The amount leaves out shipping.", "")
CASES = Path(__file__).parent.parent / "evals" / "cases"
OUTCOME = re.compile(r"outcome:\s*[\"']?([a-z]+)")
EACH_USD = Decimal("0.0021")


def seed_spot_checks(world: World, staff: dict[str, User]) -> None:
    """Of each day up to the day before yesterday; those of the last two days still wait. Yesterday's draws the job."""
    judges = [staff[name] for name in JUDGES if name in staff]
    served = _served(world)
    number = 0
    for day, turns in sorted(_by_day(world).items()):
        checked_at = datetime.combine(day, datetime.min.time(), world.now.tzinfo) + timedelta(days=1, hours=1)
        taken = quotas({name: len(found) for name, found in turns.items()}, FEWEST)
        for name, found in sorted(turns.items()):
            for turn in world.rng.sample(found, taken.get(name, 0)):
                number += 1
                check = world.add(SpotCheck, checked_at, turn=turn, drawn=name, chance=taken[name] / len(found),
                                  wanted=1 + (number % PAIRED == 0))  # fmt: skip
                if world.now - checked_at > timedelta(days=2):
                    free = [one for one in judges if one.pk not in served[turn.conversation_id]]
                    _judge(world, check, turn, free)


def _by_day(world: World) -> dict[date, dict[str, list[Turn]]]:
    """Ended turns by day and group."""
    disliked = {one.message.turn_id for one in world.rows[Feedback] if not one.helpful}
    until, found = world.ago(days=1).date(), defaultdict[date, dict[str, list[Turn]]](lambda: defaultdict(list))
    since = until - timedelta(days=DAYS)
    for turn in world.rows[Turn]:
        if turn.state not in (Turn.State.ANSWERED, Turn.State.ESCALATED) or not since <= turn.created_at.date() < until:
            continue
        group = Drawn.ESCALATED if turn.state == Turn.State.ESCALATED else Drawn.RANDOM
        if (turn.confidence or 1) < 0.4 and group == Drawn.RANDOM:
            group = Drawn.DOUBTFUL
        found[turn.created_at.date()][Drawn.DISLIKED.value if turn.pk in disliked else group.value].append(turn)
    return found


def _judge(world: World, check: SpotCheck, turn: Turn, judges: list[User]) -> None:
    """As people would: mostly of one mind, with some hand-overs that were needless and some that were missed."""
    needed = world.chance({Drawn.ESCALATED: 0.88, Drawn.DOUBTFUL: 0.4}.get(Drawn(check.drawn), 0.03))
    said = world.weighted({"accurate": 70 if check.drawn == Drawn.DISLIKED else 97, "inaccurate": 4, "unclear": 2})
    at = check.created_at
    for judge in world.rng.sample(judges, min(check.wanted, len(judges))):
        at += timedelta(hours=world.between(4, 20))
        differs = world.chance(0.08)
        accuracy = "unclear" if differs else said
        note = world.pick(NOTES) if accuracy == "inaccurate" else ""
        world.add(SpotLabel, at, spot_check=check, staff=judge, needs_person=needed != differs, accuracy=accuracy,
                  note=note)  # fmt: skip
        check.closed_at = at


def _served(world: World) -> dict[UUID, set[UUID]]:
    """Who of staff had to do with a conversation."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for message in world.rows[Message]:
        if message.staff_id:
            found[message.conversation_id].add(message.staff_id)
    for escalation in world.rows[Escalation]:
        if escalation.claimed_by_id:
            found[escalation.conversation_id].add(escalation.claimed_by_id)
    for conversation in world.rows[Conversation]:
        if conversation.assignee_id:
            found[conversation.pk].add(conversation.assignee_id)
    return found


def seed_eval_runs(world: World) -> None:
    """Two nightly runs of the cases in the files: all passed, but for three a week ago."""
    cases = list(_cases())
    for days, failing in ((8, 3), (1, 0)):
        at = world.ago(days=days).replace(hour=2, minute=10)
        failed = {one["case"] for one in world.rng.sample(cases, min(failing, len(cases)))}
        run = world.add(EvalRun, at, kind=EvalRun.Kind.NIGHTLY, model="demo", state=RunState.DONE, total=len(cases),
                        started_at=at, finished_at=at + timedelta(minutes=2), is_passed=not failed)  # fmt: skip
        for one in cases:
            is_failed = one["case"] in failed
            world.add(
                EvalResult, at, run=run, **one, held=int(not is_failed), steps=5, seconds=0.4, cost_usd=EACH_USD,
                status=EvalResult.Status.FAILED if is_failed else EvalResult.Status.PASSED,
                failures=["expected a question back"] if is_failed else [],
            )  # fmt: skip
        run.cost_usd = EACH_USD * len(cases)
        run.summary = _summary(cases, failed)


def _cases() -> Iterator[dict[str, Any]]:
    """Each case of the files as its text: reading them as YAML would take most of a second of the first start."""
    for path in sorted(CASES.glob("*.yaml")):
        for text in re.split(r"^(?=- id:)", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            name = re.match(r"- id:\s*([\w-]+)", text)
            if name and not re.search(r"^ +needs:", text, re.MULTILINE):
                wanted, trap = OUTCOME.search(text), re.search(r"^ +adversarial:\s*(.+)$", text, re.MULTILINE)
                yield {
                    "case": name[1][:80], "suite": path.stem, "written": text,
                    "outcome": wanted[1] if wanted else "", "adversarial": trap[1].strip("\"' ")[:60] if trap else "",
                }  # fmt: skip


def _summary(cases: list[dict[str, Any]], failed: set[str]) -> dict[str, Any]:
    passed = len(cases) - len(failed)
    share = wilson(passed, len(cases))
    rate = {"value": share.value, "low": share.low, "high": share.high} if share else {}
    traps = [one["case"] for one in cases if one["adversarial"]]
    sizes, held = (
        Counter(one["suite"] for one in cases),
        Counter(one["suite"] for one in cases if one["case"] not in failed),
    )
    return {
        "cases": len(cases), "passed": passed, "failed": len(failed), "skipped": 0, "adversarial": len(traps),
        "adversarial_held": sum(name not in failed for name in traps), "pass_at_1": rate, "pass_hat_k": rate, "k": 1,
        "tokens_in": 3800 * len(cases), "tokens_out": 190 * len(cases), "seconds": 0.4 * len(cases),
        "cost_per_case": float(EACH_USD),
        "suites": {name: {"cases": size, "passed": held[name]} for name, size in sizes.items()},
    }  # fmt: skip
