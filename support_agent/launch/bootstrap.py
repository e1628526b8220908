"""`python3 -m support_agent.launch.bootstrap run|run-setup|dev-setup`: .venv, and for `run` the product in it.

Runs on the system's Python, before anything is installed: the standard library alone.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent.parent
VENV = BASE / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = {
    "run": ["requirements.txt", "requirements-embedded.txt"],
    "dev": ["requirements.txt", "requirements-embedded.txt", "requirements-dev.txt"],
}


def main() -> None:
    what = sys.argv[1]
    ensure("dev" if what == "dev-setup" else "run")
    if what == "run":
        os.chdir(BASE)
        # Packages are installed uncompiled; whatever the shell says, our own starts keep what they compiled.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.execv(PYTHON, [str(PYTHON), "-m", "support_agent.launch"])  # noqa: S606 - this process becomes it


def ensure(kind: str) -> None:
    """Make .venv and install what is pinned, unless the same was installed before."""
    stamp = VENV / "installed.txt"
    if not _works():
        print("Making .venv …", flush=True)  # noqa: T201
        _make()
    wanted = _fingerprint(kind)
    installed = stamp.read_text().split() if stamp.exists() else []
    if wanted in installed:
        return
    print(f"Installing what is pinned in {', '.join(REQUIREMENTS[kind])} …", flush=True)  # noqa: T201
    command = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-compile", "--disable-pip-version-check", "--no-input"]
    for name in REQUIREMENTS[kind]:
        command += ["-r", name]
    if subprocess.run(command, cwd=BASE).returncode:
        sys.exit("The packages could not be installed (pip says why above): is the package index reachable?")
    # What dev needs holds what run needs, so that both are noted.
    stamp.write_text("\n".join({_fingerprint("run"), wanted}))


def _works() -> bool:
    """Whether .venv has a Python that runs, new enough, with pip."""
    if not PYTHON.exists():
        return False
    check = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([str(PYTHON), "-c", check], stderr=subprocess.DEVNULL).returncode == 0


def _make() -> None:
    try:
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    except (OSError, subprocess.CalledProcessError) as error:
        if isinstance(error, OSError):
            sys.exit(f"The virtual environment could not be made in {VENV}: {error}.")
        sys.exit("Python's venv needs ensurepip, which is missing: on Debian, apt-get install python3-venv.")


def _fingerprint(kind: str) -> str:
    digest = hashlib.sha256(str(PYTHON).encode())  # a checkout that was moved has a broken .venv
    for name in REQUIREMENTS[kind]:
        digest.update((BASE / name).read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
