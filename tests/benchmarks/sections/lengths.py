"""Whether a turn costs more the longer its conversation is: what is remembered is bounded, the rows are not."""

from __future__ import annotations

from collections import defaultdict

from tests.benchmarks.figures import Figure, Section, Setting, ratio
from tests.benchmarks.histories import lengthen
from tests.benchmarks.house import House
from tests.benchmarks.load import PRODUCT, Load, run_load

LENGTHS, LENGTHS_LONG = (1, 20, 50, 100), (1, 20, 50, 100, 500)
FULLEST = 50  # about as long as everything is remembered word for word
PEOPLE, TURNS, TURNS_LONG = 16, 3, 10
PACE = {"small-ttft": 0.05, "medium-ttft": 0.05, "rate": 200}
TURN_S = 1.0
# Of the newest turns: tokens of a prompt, and how often the older part was summed up, by turn.
PROMPTS = """
SELECT avg(s.input_tokens + s.cache_read_tokens + s.cache_write_tokens) FILTER (WHERE s.kind = 'model_call'),
       (count(*) FILTER (WHERE s.kind = 'compress'))::float / count(DISTINCT t.id)
FROM support_agent_turn t JOIN support_agent_step s ON s.turn_id = t.id AND s.model <> ''
WHERE t.conversation_id = ANY(%s) AND t.state = 'answered' AND (
    SELECT count(*) FROM support_agent_turn later
    WHERE later.conversation_id = t.conversation_id AND later.created_at > t.created_at) < %s
"""
Prompts = dict[int, list[tuple[float, float]]]  # by length: tokens and summaries of each repeat
HOW = (
    f"{PEOPLE} conversations of each length at once, each of its own customer: one turn that was had, copied in "
    "PostgreSQL with its messages, events, steps and tool call as often as it takes, then one turn that is not "
    f"measured and {TURNS} that are ({TURNS_LONG} in the long form). All is remembered word for word up to 24,000 "
    f"tokens, which is some {FULLEST} of these turns; then the older part becomes a summary, here in the turn that is "
    "not measured. So the prompt, and with it the CPU, grows up to there and no further."
)


def measure(setting: Setting) -> Section:
    lengths = LENGTHS_LONG if setting.is_long else LENGTHS
    turns = TURNS_LONG if setting.is_long else TURNS
    found: dict[int, list[Load]] = defaultdict(list)
    prompts: Prompts = defaultdict(list)
    with House(setting.folder / "house", model=PACE) as house:
        people = house.program("tests.benchmarks.people", str(PEOPLE * len(lengths) * setting.repeats))
        setting.say(f"{len(people)} first turns")
        run_load(house, people, turns=1, warm=0, spread=len(people) / 20)
        groups = [people[start : start + PEOPLE] for start in range(0, len(people), PEOPLE)]
        plan = list(zip(groups, lengths * setting.repeats, strict=True))
        lengthen(house.postgres.url, {one["conversation"]: length for group, length in plan for one in group})
        for group, length in plan:
            setting.say(f"{length} turns")
            found[length].append(run_load(house, group, turns=turns, spread=TURN_S))
            [(tokens, summaries)] = house.rows(PROMPTS, [one["conversation"] for one in group], turns)
            prompts[length].append((float(tokens), summaries))
    return Section("Length of a conversation", HOW, figures(found, prompts))


def figures(found: dict[int, list[Load]], prompts: Prompts) -> list[Figure]:
    """CPU of a turn at each length, by process, in milliseconds, and over that of the first and the fullest."""
    cpu = {length: [load.system_ms for load in loads] for length, loads in found.items()}
    longest = max(cpu)
    shown = [
        Figure(
            f"after {longest} turns over {FULLEST}, the most that is remembered",
            ratio(cpu[longest], cpu[FULLEST]),
            at_most=1.1,
        ),
        *(Figure(f"after {length} turns over 1", ratio(cpu[length], cpu[1])) for length in cpu if length > 1),
    ]
    for length, loads in found.items():
        shown.append(Figure(f"after {length}: CPU of a turn", tuple(cpu[length]), "ms", 1))
        shown += [
            Figure(f"after {length}: {part}", tuple(one.cpu_ms[part] for one in loads), "ms", 1) for part in PRODUCT
        ]
        tokens, summaries = zip(*prompts[length], strict=True)
        shown.append(Figure(f"after {length}: prompt of a call", tokens, "tokens", 0))
        shown.append(Figure(f"after {length}: summaries written, a turn", summaries))
    failures = sum(len(load.failures) for loads in found.values() for load in loads)
    return [*shown, Figure("turns without their answer", (failures,), "", 0, at_most=0)]
