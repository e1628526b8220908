"""What customers wait for: busy conversations, live ones, and how many turns a second the machine has to give."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.figures import Figure, Section, Setting, ratio
from tests.benchmarks.house import House
from tests.benchmarks.load import PRODUCT, Load, run_load

BUSY, MANY, LIVE, LIVE_LONG = 50, 200, 300, 1000
THINK_S = 30.0
PACE = {"small-ttft": 0.6, "medium-ttft": 1.2, "rate": 40}
TURN_S = 4.0  # about one turn at this pace: over so long they begin, so that they do not go in step
QUICK = {"small-ttft": 0.05, "medium-ttft": 0.05, "rate": 400}  # a model that is not waited for
HOW = (
    "The fake takes 0.6 s (small model) and 1.2 s (medium) to its first delta and says 40 a second; a turn is that of "
    f"the section above. Busy conversations have no think time, live ones {THINK_S:.0f} s. A turn's times are the "
    "customer's, from sending to the first checked sentence and to the end of the turn as they arrive at the socket; "
    "the fake's own are summed over the calls of that same turn. Customers, fake, servers and product share the cores. "
    f"At saturation {MANY} conversations are busy and the fake takes 0.05 s and says 400 a second."
)


def measure(setting: Setting) -> Section:
    waits, failures = _waits(setting)
    speeds, more = _saturation(setting)
    failed = Figure("turns without their answer, all loads", (failures + more,), "", 0, at_most=0)
    return Section("Loads", HOW, [*waits, *speeds, failed])


def _waits(setting: Setting) -> tuple[list[Figure], int]:
    """One runner and one web process."""
    with House(setting.folder / "waits", model=PACE) as house:
        people = house.program("tests.benchmarks.people", str(LIVE_LONG if setting.is_long else LIVE))
        seconds = 40.0 if setting.is_long else 8.0
        setting.say(f"{MANY} busy")
        many = [
            run_load(house, people[:MANY], seconds=seconds, spread=TURN_S, warm=int(not repeat))
            for repeat in range(setting.repeats)
        ]
        setting.say(f"{MANY} busy, planned")
        planned = [
            run_load(house, people[:MANY], turns=3 if setting.is_long else 1, spread=6.0, warm=0, question="planned")
        ]
        setting.say(f"{BUSY} busy")
        few = [run_load(house, people[-BUSY:], seconds=seconds, spread=TURN_S, warm=0)]
        setting.say(f"{len(people)} live")
        live = [run_load(house, people, seconds=180.0 if setting.is_long else THINK_S, think=THINK_S, warm=0)]
    found = [
        Figure(f"{MANY} busy: first sentence p95 over the fake's own", _over(many, "first"), at_most=1.4),
        Figure(f"{MANY} busy: whole turn p95 over the fake's own", _over(many, "whole"), at_most=1.2),
        Figure(f"{MANY} busy: first checked sentence p95", _p95(many, "first"), "s", at_most=3.0),
        *_more(f"{MANY} busy", many),
        Figure(f"{MANY} busy, planned: first checked sentence p95", _p95(planned, "first"), "s"),
        Figure(f"{MANY} busy, planned: the same over the fake's own", _over(planned, "first")),
        *_of_both(f"{BUSY} busy", few),
        *_of_both(f"{len(people):,} live", live),
    ]
    return found, sum(len(load.failures) for load in (*many, *planned, *few, *live))


def _saturation(setting: Setting) -> tuple[list[Figure], int]:
    """Turns a second with one runner, then with two, over the same database."""
    found: dict[int, list[Load]] = {1: [], 2: []}
    seconds = 20.0 if setting.is_long else 4.0
    with House(setting.folder / "saturation", model=QUICK) as house:
        people = house.program("tests.benchmarks.people", str(MANY))
        for runners, loads in found.items():
            setting.say(f"saturation, {runners} runner{'s' * (runners > 1)}")
            if runners > len(house.of("runner")):
                house.add("runner")
                house.wait_ready()
            for repeat in range(setting.repeats):
                loads.append(run_load(house, people, seconds=seconds, warm=int(not repeat)))
    one, two = ([load.per_second for load in loads] for loads in found.values())
    figures = [
        Figure("turns a second, 1 runner", tuple(one), "", 1),
        Figure("turns a second, 2 runners", tuple(two), "", 1),
        Figure("two runners over one", ratio(two, one), at_least=1.4),
        *_at_saturation("1 runner", found[1]),
        *_at_saturation("2 runners", found[2]),
    ]
    return figures, sum(len(load.failures) for loads in found.values() for load in loads)


def _at_saturation(name: str, loads: Sequence[Load]) -> list[Figure]:
    """What the cores do then, beside the crowd."""
    return [
        Figure(f"{name}: CPU of a turn, {part}", tuple(load.cpu_ms[part] for load in loads), "ms", 1)
        for part in (*PRODUCT, "model")
    ]


def _of_both(name: str, loads: Sequence[Load]) -> list[Figure]:
    return [
        Figure(f"{name}: first sentence p95 over the fake's own", _over(loads, "first")),
        Figure(f"{name}: whole turn p95 over the fake's own", _over(loads, "whole")),
        Figure(f"{name}: first checked sentence p95", _p95(loads, "first"), "s"),
        *_more(name, loads),
    ]


def _more(name: str, loads: Sequence[Load]) -> list[Figure]:
    return [
        Figure(f"{name}: turns a second", tuple(load.per_second for load in loads), "", 1),
        Figure(f"{name}: CPU of a turn", tuple(load.system_ms for load in loads), "ms", 1),
    ]


def _over(loads: Sequence[Load], name: str) -> tuple[float, ...]:
    return tuple(load.over_own(name) for load in loads)


def _p95(loads: Sequence[Load], name: str) -> tuple[float, ...]:
    return tuple(load.p(0.95, name) for load in loads)
