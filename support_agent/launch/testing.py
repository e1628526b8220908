"""`make test`: Chromium where it can be had, then the whole suite in parallel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
SEED = "20261121"  # a shuffled order, the same each time; ARGS="--randomly-seed=7" takes another
PACKAGES = ("chromium", "fonts-liberation", "fonts-noto-color-emoji")


def main() -> None:
    _have_chromium()
    workers = str(min(4, (os.cpu_count() or 2) + 1))  # one of them mostly waits, for browsers and processes
    command = [sys.executable, "-m", "pytest", "-n", workers, "--randomly-seed", SEED, *sys.argv[1:]]
    os.execv(sys.executable, command)  # noqa: S606 - this process becomes pytest


def _have_chromium() -> None:
    """Install Debian's Chromium when we may; without it the browser tests are skipped, and the suite says so."""
    if CHROMIUM.exists() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    sys.stderr.write("Installing Chromium for the browser tests …\n")
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]
    subprocess.run(  # type: ignore[call-overload]
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES], check=False, **quiet
    )


if __name__ == "__main__":
    main()
