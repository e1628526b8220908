"""From what one turn and one socket were measured to cost to what a number of requests a day takes: docs/scaling.md.

    update(Path("docs/scaling.md"), scaling_table(inputs))

A request is one message of a customer, which one turn answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

BEGIN, END = "<!-- figures of make bench: begin -->", "<!-- figures of make bench: end -->"
DAY_S, YEAR_DAYS = 86_400, 365
WORDS_DAYS = 90  # retention of traces: then a step loses its input and output
WORDY = ("support_agent_step", "support_agent_toolcall")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Measured. CPU in milliseconds a turn of all processes of a kind, counts and bytes a turn, memory in MB and kB."""

    web_cpu_ms: float
    runner_cpu_ms: float
    postgres_cpu_ms: float
    redis_cpu_ms: float
    frames: float
    redis_messages: float
    commits: float
    wal_bytes: float
    model_calls: float
    tokens_in: float  # neither read from the cache nor ever sent back: what rate limits of input count
    tokens_cached: float
    tokens_out: float
    rows: Mapping[str, float] = field(hash=False)  # by table
    table_bytes: Mapping[str, float] = field(hash=False)  # by table, with its indexes
    bare_step_bytes: float  # a step's row and its index entries once its words are gone
    socket_kb: float
    socket_cpu_s: float  # of 1,000 idle sockets in a minute
    web_mb: float
    runner_mb: float


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Not measured, and said beside the table: how people come, and how full we want machines to be."""

    peak_factor: float = 3.0  # the busiest hour over the average one
    turns_a_conversation: float = 3.0
    open_minutes: float = 15.0  # how long a conversation's page stays open
    turn_s: float = 8.0  # with a real model
    full: float = 0.6  # of a core, at the peak
    sockets_a_web: float = 5_000.0
    turns_a_runner: float = 200.0


LOADS: tuple[tuple[str, float], ...] = (("10,000 a day", 1e4), ("1,000,000 a day", 1e6), ("100,000,000 a day", 1e8))


@dataclass(frozen=True, slots=True)
class Need:
    """What so many requests a day take at the peak hour."""

    turns_s: float
    turns_at_once: float
    sockets: float
    web_cores: float
    runner_cores: float
    postgres_cores: float
    redis_cores: float
    webs: float
    runners: float
    memory_gb: float
    frames_s: float
    redis_s: float
    commits_s: float
    wal_mb_s: float
    rows_day: float
    gb_day: float
    gb_year: float  # after a year, words of WORDS_DAYS
    steps_year: float
    calls_min: float
    tokens_in_min: float
    tokens_cached_min: float
    tokens_out_min: float


def need(inputs: Inputs, a_day: float, assumed: Assumptions | None = None) -> Need:
    """The peak hour of `a_day` requests; processes are rounded up, and two of a kind are the fewest."""
    given = assumed or Assumptions()
    turns_s = a_day / DAY_S * given.peak_factor
    sockets = turns_s / given.turns_a_conversation * given.open_minutes * 60
    idle_cores = sockets / 1000 * inputs.socket_cpu_s / 60

    def cores(ms: float, beside: float = 0.0) -> float:
        return (turns_s * ms / 1000 + beside) / given.full

    web_cores, runner_cores = cores(inputs.web_cpu_ms, idle_cores), cores(inputs.runner_cpu_ms)
    webs = _processes(web_cores, sockets / given.sockets_a_web)
    runners = _processes(runner_cores, turns_s * given.turn_s / given.turns_a_runner)
    bytes_turn = sum(inputs.table_bytes.values())
    steps_turn = inputs.rows.get("support_agent_step", 0.0)
    return Need(
        turns_s=turns_s,
        turns_at_once=turns_s * given.turn_s,
        sockets=sockets,
        web_cores=web_cores,
        runner_cores=runner_cores,
        postgres_cores=cores(inputs.postgres_cpu_ms),
        redis_cores=cores(inputs.redis_cpu_ms),
        webs=webs,
        runners=runners,
        memory_gb=(webs * inputs.web_mb + runners * inputs.runner_mb + sockets * inputs.socket_kb / 1024) / 1024,
        frames_s=turns_s * inputs.frames,
        redis_s=turns_s * inputs.redis_messages,
        commits_s=turns_s * inputs.commits,
        wal_mb_s=turns_s * inputs.wal_bytes / 1e6,
        rows_day=a_day * sum(inputs.rows.values()),
        gb_day=a_day * bytes_turn / 1e9,
        gb_year=a_day * _kept_bytes(inputs, bytes_turn, steps_turn) / 1e9,
        steps_year=a_day * steps_turn * YEAR_DAYS,
        calls_min=turns_s * 60 * inputs.model_calls,
        tokens_in_min=turns_s * 60 * inputs.tokens_in,
        tokens_cached_min=turns_s * 60 * inputs.tokens_cached,
        tokens_out_min=turns_s * 60 * inputs.tokens_out,
    )


def _processes(cores: float, by_size: float) -> float:
    """One process uses one core."""
    return float(max(2, -int(-cores // 1), -int(-by_size // 1)))


def _kept_bytes(inputs: Inputs, whole: float, steps: float) -> float:
    """Bytes of a year's turns for each turn a day: all of the last WORDS_DAYS, and steps without words before."""
    wordy = sum(inputs.table_bytes.get(table, 0.0) for table in WORDY)
    calls = inputs.rows.get("support_agent_toolcall", 0.0)
    bare = whole - wordy + min(wordy, (steps + calls) * inputs.bare_step_bytes)
    return WORDS_DAYS * whole + (YEAR_DAYS - WORDS_DAYS) * bare


ROWS: tuple[tuple[str, str], ...] = (
    ("turns a second", "turns_s"),
    ("turns under way", "turns_at_once"),
    ("open sockets", "sockets"),
    ("frames to sockets a second", "frames_s"),
    ("cores: web", "web_cores"),
    ("cores: runners", "runner_cores"),
    ("cores: PostgreSQL", "postgres_cores"),
    ("cores: Redis", "redis_cores"),
    ("web processes", "webs"),
    ("runners", "runners"),
    ("their memory, GB", "memory_gb"),
    ("PostgreSQL commits a second", "commits_s"),
    ("PostgreSQL's log, MB a second", "wal_mb_s"),
    ("Redis messages a second", "redis_s"),
    ("model calls a minute", "calls_min"),
    ("tokens in a minute, past the cache", "tokens_in_min"),
    ("tokens in a minute, from the cache", "tokens_cached_min"),
    ("tokens out a minute", "tokens_out_min"),
    ("rows a day", "rows_day"),
    ("GB a day", "gb_day"),
    ("GB after a year", "gb_year"),
    ("steps after a year", "steps_year"),
)
MEASURED: tuple[tuple[str, str], ...] = (
    ("CPU of web, ms", "web_cpu_ms"),
    ("CPU of runners, ms", "runner_cpu_ms"),
    ("CPU of PostgreSQL, ms", "postgres_cpu_ms"),
    ("CPU of Redis, ms", "redis_cpu_ms"),
    ("frames to a socket", "frames"),
    ("messages through Redis", "redis_messages"),
    ("commits", "commits"),
    ("bytes of PostgreSQL's log", "wal_bytes"),
    ("model calls", "model_calls"),
    ("tokens in, past the cache", "tokens_in"),
    ("tokens in, from the cache", "tokens_cached"),
    ("tokens out", "tokens_out"),
)


def scaling_table(inputs: Inputs, assumed: Assumptions | None = None) -> str:
    """Markdown: what was measured, and what it comes to for each load."""
    needs = [need(inputs, a_day, assumed) for _, a_day in LOADS]
    lines = ["| of one turn | |", "|---|--:|"]
    lines += [f"| {label} | {_shown(getattr(inputs, name))} |" for label, name in MEASURED]
    lines += ["", "| in PostgreSQL, of one turn | rows | bytes with indexes |", "|---|--:|--:|"]
    for table in sorted(inputs.table_bytes, key=lambda name: -inputs.table_bytes[name]):
        lines.append(f"| `{table}` | {_shown(inputs.rows.get(table, 0))} | {_shown(inputs.table_bytes[table])} |")
    total = (_shown(sum(inputs.rows.values())), _shown(sum(inputs.table_bytes.values())))
    lines += [f"| all | {total[0]} | {total[1]} |", "", "| of one process or socket | |", "|---|--:|"]
    lines += [
        f"| web, runner: memory (PSS) | {_shown(inputs.web_mb)}, {_shown(inputs.runner_mb)} MB |",
        f"| an idle socket: memory (PSS) | {_shown(inputs.socket_kb)} kB |",
        f"| 1,000 idle sockets: CPU in a minute | {_shown(inputs.socket_cpu_s)} s |",
        "",
        "| at the peak hour | " + " | ".join(name for name, _ in LOADS) + " |",
        "|---|" + "--:|" * len(LOADS),
    ]
    lines += [f"| {label} | " + " | ".join(_shown(getattr(one, name)) for one in needs) + " |" for label, name in ROWS]
    return "\n".join(lines)


def update(page: Path, table: str) -> None:
    """Write the table between the page's markers; raises ValueError where they are missing."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no place for the figures")
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


def _shown(value: float) -> str:
    """Three digits that count: 0.00347, 3.47, 347, 3,470, 34.7 million."""
    for size, name in ((1e9, " billion"), (1e6, " million")):
        if abs(value) >= size:
            return f"{value / size:.3g}{name}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"
