"""One load on a house: the crowd's turns beside what the fake model itself took, and CPU by process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.figures import percentile
from tests.benchmarks.house import House
from tests.stack import ROOT

PRODUCT = ("web", "runner", "postgres", "redis")


@dataclass(frozen=True, slots=True)
class Timed:
    """One turn, in seconds from the customer's sending: first checked sentence and end, and the fake's own of both."""

    first: float
    whole: float
    own_first: float
    own_whole: float


@dataclass(frozen=True, slots=True)
class Load:
    """`cpu_ms` is CPU per turn by process, in milliseconds; `failures` are customers who did not get their answers."""

    turns: Sequence[Timed]
    seconds: float
    cpu_ms: dict[str, float]
    frames: int
    failures: Sequence[str]

    @property
    def per_second(self) -> float:
        return len(self.turns) / self.seconds

    @property
    def system_ms(self) -> float:
        """CPU of the whole product per turn: web, runners, PostgreSQL and Redis."""
        return sum(self.cpu_ms.get(name, 0.0) for name in PRODUCT)

    def p(self, share: float, name: str) -> float:
        """A percentile of one field of Timed, in seconds."""
        return percentile([getattr(turn, name) for turn in self.turns], share)

    def over_own(self, name: str, share: float = 0.95) -> float:
        """A percentile of `first` or `whole` over the same of the fake's own."""
        return self.p(share, name) / self.p(share, f"own_{name}")


def run_load(
    house: House,
    people: Sequence[dict[str, str]],
    *,
    seconds: float = 0.0,
    turns: int = 0,
    warm: int = 1,
    think: float = 0.0,
    spread: float = 0.0,
    question: str = "fast",
) -> Load:
    """Let these people talk, see tests/benchmarks/crowd.py. Raises AssertionError when the crowd itself broke."""
    webs = ",".join(web.socket_url for web in house.of("web"))
    command = [sys.executable, "-m", "tests.benchmarks.crowd", "--webs", webs, "--question", question]
    command += ["--warm", str(warm), "--seconds", str(seconds), "--turns", str(turns), "--think", str(think)]
    command += ["--spread", str(spread)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as crowd:
        assert crowd.stdin is not None
        assert crowd.stdout is not None
        assert crowd.stderr is not None
        crowd.stdin.write(json.dumps(_seen(house, people)) + "\n")
        crowd.stdin.flush()
        if crowd.stdout.readline() != "ready\n":
            raise AssertionError(f"the crowd did not get ready: {crowd.stderr.read()[-2000:]}")
        house.forget_calls()
        before = house.cpu()
        crowd.stdin.write("\n")
        crowd.stdin.flush()
        line = crowd.stdout.readline()
        after = house.cpu()
        if not line:
            raise AssertionError(f"the crowd broke: {crowd.stderr.read()[-2000:]}")
    return _load(json.loads(line), house.calls(), {name: after[name] - before[name] for name in after})


def _seen(house: House, people: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The people with the number of their conversation's last event, as the page they would come from knows it."""
    last = {str(id): str(seq) for id, seq in house.rows("SELECT id, last_seq FROM tickets_conversation")}
    return [{**one, "after": last[one["conversation"]]} for one in people]


def _load(found: dict[str, Any], calls: Sequence[dict[str, Any]], cpu: dict[str, float]) -> Load:
    own = defaultdict(list)
    for call in calls:
        own[call["key"]].append(call)
    timed = []
    for turn in found["turns"]:
        mine = sorted(own[turn["tag"]], key=lambda call: call["arrived"])
        if not (turn["first"] and turn["ended"] and mine):
            continue
        *before, last = mine
        spent = sum(call["end"] - call["arrived"] for call in before)
        timed.append(
            Timed(
                first=turn["first"] - turn["said"],
                whole=turn["ended"] - turn["said"],
                own_first=spent + last["first_sentence"] - last["arrived"],
                own_whole=spent + last["end"] - last["arrived"],
            )
        )
    failures = [*found["failures"], *["a turn without an answer"] * (len(found["turns"]) - len(timed))]
    if not timed:
        raise AssertionError(f"nobody was answered: {failures[:3]}")
    per_turn = {name: seconds / len(timed) * 1000 for name, seconds in cpu.items()}
    return Load(timed, found["ended"] - found["began"], per_turn, found["frames"], failures)
