"""Which code this process runs: the commit, and fingerprints of what decides answers and of the evaluation cases."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support_agent.env import BASE_DIR

PACKAGES = ("support_agent", "tickets")
CASES = Path("support_agent/evals/cases")
# Pages, commands and how processes are started decide no answer: a change of theirs must not stale what was tried.
BESIDE = {"admin", "backup", "chat", "demo", "doctor", "embedded", "formats", "injection", "launch", "locale",
          "management", "ops", "privacy", "telemetry", "templatetags", "views", "static", "__pycache__"}  # fmt: skip
ARTICLES = Path("tickets/demo")  # the help centre of the cases
LENGTH = 12


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """`commit` is '–' outside a checkout; the others are hashes of contents."""

    commit: str
    sources: str
    cases: str

    def __str__(self) -> str:
        return f"{self.commit}/{self.sources}/{self.cases}"


@cache
def code_version() -> CodeVersion:
    """Of the files as they were at the first call: a process runs what it loaded, whatever is put there later."""
    files = sorted(path for package in PACKAGES for path in (BASE_DIR / package).rglob("*") if path.is_file())
    within = [(path, path.relative_to(BASE_DIR)) for path in files]
    return CodeVersion(
        _commit(),
        _hashed(path for path, name in within if _decides(name)),
        _hashed(path for path, name in within if name.is_relative_to(CASES)),
    )


def parsed(text: str) -> CodeVersion | None:
    """What a run noted; None for something else."""
    parts = text.split("/")
    return CodeVersion(*parts) if len(parts) == 3 else None


def _decides(name: Path) -> bool:
    if name.is_relative_to(CASES) or name.suffix == ".pyc":
        return False
    return name.is_relative_to(ARTICLES) or not BESIDE & set(name.parts[:-1])


def _hashed(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(f"{path.relative_to(BASE_DIR)}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:LENGTH]


def _commit() -> str:
    command = ["git", "-C", str(BASE_DIR), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return "–"
    return done.stdout.strip()[:LENGTH] or "–"
