"""An environment for each framework, under `.data/bench`: made once from its exact pins, and again when they change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[2] / ".data" / "bench"
PATIENCE_S = 300.0


class PeerMissing(Exception):
    """A peer cannot be had here; the text is one line that says why."""


def python_of(name: str, *, requirements: Path | None = None, folder: Path = FOLDER) -> Path:
    """The Python of a peer's environment, which is made when there is none of these pins. Raises PeerMissing."""
    wanted = requirements or HERE / f"requirements-{name}.txt"
    home = folder / name
    python, stamp = home / "bin" / "python", home / "installed.txt"
    if stamp.is_file() and stamp.read_bytes() == wanted.read_bytes():
        return python
    try:
        _run(sys.executable, "-m", "venv", "--clear", str(home))
        _run(str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "-r", str(wanted))
    except (subprocess.SubprocessError, OSError) as error:
        raise PeerMissing(f"{name} was left out: its packages could not be installed ({_reason(error)})") from error
    stamp.write_bytes(wanted.read_bytes())
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE_S)


def _reason(error: Exception) -> str:
    """pip's own last words, in one line."""
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    lines = [line for line in str(said).splitlines() if line.strip() and not line.startswith("WARNING")]
    return lines[-1].removeprefix("ERROR: ")[:200] if lines else "is PyPI reachable?"
