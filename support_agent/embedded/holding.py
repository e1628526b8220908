"""Sharing a server between processes by file locks, which the kernel gives back whatever happens to their holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol


class EmbeddedError(SystemExit):
    """An embedded server cannot be used; the text is one sentence that says what to do."""


class Server(Protocol):
    folder: Path

    def running(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@contextmanager
def held(server: Server) -> Iterator[None]:
    """Use a server: start it when nobody has, stop it when nobody else uses it any more.

    Each user holds a shared lock on one file for as long as it works; an exclusive lock on another one orders starting
    and stopping. A user that is killed leaves no trace, so that no count can go wrong.
    """
    beside = server.folder.parent
    try:
        beside.mkdir(parents=True, exist_ok=True)
        users = (beside / f"{server.folder.name}.users").open("w")
    except OSError as error:
        raise EmbeddedError(f"DATA_DIR {beside} cannot be written ({error.strerror}): name another folder.") from None
    owner = os.getpid()
    with users:
        with _turn(server):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not server.running():
                server.start()
        try:
            yield
        finally:
            if os.getpid() == owner:  # a forked child shares the lock, and must not end what its parent uses
                with _turn(server):
                    _stop_as_last(server, users.fileno())


def revive(server: Server) -> bool:
    """Start a held server again when it died; returns whether it had."""
    with _turn(server):
        if server.running():
            return False
        server.start()
        return True


def _stop_as_last(server: Server, users: int) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    server.stop()


@contextmanager
def _turn(server: Server) -> Iterator[None]:
    with (server.folder.parent / f"{server.folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
