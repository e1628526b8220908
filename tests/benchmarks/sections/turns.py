"""CPU of a turn beside the least that is possible and beside what people would use instead, on equal turns."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from tests.benchmarks.figures import Figure, Section, Setting, ratio
from tests.benchmarks.house import House
from tests.benchmarks.load import PRODUCT, Load, run_load
from tests.benchmarks.peers.run import PeerMissing, PeerResult, equal_file, run

BUSY = 50
PACE = {"small-ttft": 0.3, "rate": 40}
TURN_S = 3.5  # about one turn at this pace: over so long they begin, so that they do not go in step
SECONDS, SECONDS_LONG = 8.0, 40.0
PEER_TURNS, PEER_TURNS_LONG = 100, 600
LIMIT, FRAMEWORKS, MOVED = "bare SDK on aiohttp", ("langgraph", "pydantic-ai"), "pydantic-ai on aiohttp"
HOW = (
    f"One turn: a model call that asks for a tool, the tool, and a streamed answer of 100 deltas, in {BUSY} busy "
    "conversations (no think time), against the same fake (0.3 s to the first delta, 40 deltas a second) with the same "
    "prompt and tools. Ours is everything: socket, guards, gate, critic, every step and message in PostgreSQL, and is "
    "the CPU of web, runner, PostgreSQL and Redis. The others keep and check nothing, write to no socket, and are "
    "their own process. In each repeat they run one after another. The planned turn asks one model more."
)
Peers = dict[str, list[PeerResult]]


def measure(setting: Setting) -> Section:
    section = Section("CPU of a turn", HOW)
    equal = equal_file(setting.folder)
    fast: list[Load] = []
    planned: list[Load] = []
    peers: Peers = defaultdict(list)
    missing: set[str] = set()
    with House(setting.folder / "house", model=PACE) as house:
        for repeat in range(setting.repeats):
            setting.say(f"repeat {repeat + 1} of {setting.repeats}")
            people = house.program("tests.benchmarks.people", str(BUSY))
            _peers(setting, house, equal, peers, missing)
            seconds = SECONDS_LONG if setting.is_long else SECONDS
            fast.append(run_load(house, people, seconds=seconds, spread=TURN_S))
            if setting.is_long or not planned:
                planned.append(run_load(house, people, turns=1, warm=0, spread=TURN_S, question="planned"))
    section.notes += sorted(missing)
    section.figures += figures(fast, planned, peers)
    return section


def _peers(setting: Setting, house: House, equal: Path, found: Peers, missing: set[str]) -> None:
    url = f"http://127.0.0.1:{house.model_port}"
    for name in (LIMIT, *FRAMEWORKS, MOVED):
        turns = PEER_TURNS_LONG if setting.is_long else PEER_TURNS
        if name == MOVED and found[MOVED] and not setting.is_long:
            continue
        try:
            found[name].append(run(name, url, equal=equal, concurrency=BUSY, turns=turns, warm=BUSY))
        except PeerMissing as error:
            missing.add(str(error))


def figures(fast: list[Load], planned: list[Load], peers: Peers) -> list[Figure]:
    """Ratios first; then CPU by process, in milliseconds a turn."""
    ours = [load.system_ms for load in fast]
    theirs = {name: [one.cpu_ms_per_turn for one in results] for name, results in peers.items() if results}
    found = [Figure(f"ours over the {LIMIT}", ratio(ours, theirs[LIMIT]), at_most=2.5)]
    if frameworks := [theirs[name] for name in FRAMEWORKS if name in theirs]:
        cheapest = [min(one) for one in zip(*frameworks, strict=True)]
        found.append(Figure("ours over the cheapest framework", ratio(ours, cheapest), at_most=0.75))
    if MOVED in theirs:
        found.append(Figure(f"ours over {MOVED}", ratio(ours[: len(theirs[MOVED])], theirs[MOVED])))
    found += _by_process("ours", fast)
    found += [Figure(f"CPU: {name}", tuple(values), "ms", 1) for name, values in theirs.items()]
    found += _by_process("ours, planned", planned)
    failures = sum(len(load.failures) for load in (*fast, *planned))
    return [*found, Figure("turns without their answer", (failures,), "", 0, at_most=0)]


def _by_process(name: str, loads: list[Load]) -> list[Figure]:
    whole = Figure(f"CPU: {name}", tuple(load.system_ms for load in loads), "ms", 1)
    parts = [Figure(f"CPU: {name}, {part}", tuple(one.cpu_ms[part] for one in loads), "ms", 1) for part in PRODUCT]
    return [whole, *parts]
