"""What the models cost: the cache's share, routing, compression and a resolved conversation, by the fake's bill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support_agent.embedded import Postgres
from tests.benchmarks.figures import Figure, Section, Setting
from tests.stack import ROOT

TITLE = "What the models cost"
HOW = (
    "Whole turns through the real engine, runtime and prompts over PostgreSQL, against the strict fake of the "
    "Messages API. The bill is the fake's: a token for every four characters of a request, a prompt cache with "
    "the API's rules (breakpoints, at least 512 tokens, 20 blocks back, 5 minutes by a simulated clock that puts "
    "45 seconds between a customer's messages), the prices of genai-prices. After each conversation it must equal "
    "what our steps recorded, to the last digit. Customers' words come from the evaluation cases and the demo's "
    "questions, drawn with a fixed seed, 1 to 10 turns a conversation; answers, tool calls and plans come from "
    "the demo model, which writes less than a real one and does not think: for each call of a model whose "
    "thinking cannot be switched off, {thinking} thought tokens are assumed, paid as output, and written to the "
    "cache where the turn goes on. Without routing there is no fast path and every plan is of medium complexity; "
    "the small model still plans. What the large model would cost is the same calls at its prices. Not in it: "
    "retries, what the API itself adds to prompts with tools, and whether another model would need fewer calls."
)


def measure(setting: Setting) -> Section:
    with _database(setting.folder / "costs") as url:
        return _played(setting, url)


def _played(setting: Setting, url: str) -> Section:
    """Runs tests.benchmarks.money in a process of its own. Raises RuntimeError with its last words."""
    out, log = setting.folder / "costs" / "found.json", setting.folder / "costs" / "log.txt"
    command = [sys.executable, "-m", "tests.benchmarks.money", str(out), *(["--long"] if setting.is_long else [])]
    nobody = "redis://127.0.0.1:1/0"  # no other process counts or listens
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": url, "TEST_REDIS_URL": nobody}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            setting.say(line.rstrip())
    if process.returncode:
        raise RuntimeError(f"the costs could not be measured: {log.read_text()[-2000:]}")
    found = json.loads(out.read_text(encoding="utf-8"))
    figures = [Figure(**{**figure, "values": tuple(figure["values"])}) for figure in found["figures"]]
    return Section(TITLE, HOW.format(thinking=found["thinking"]), figures, found["notes"])


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    """The address of a PostgreSQL of its own, stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    postgres = Postgres(folder / "postgres", durable=False)
    postgres.start()
    try:
        yield postgres.url
    finally:
        postgres.stop()
