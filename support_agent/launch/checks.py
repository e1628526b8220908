"""Whether the servers of the environment answer, each trouble as one sentence."""

from __future__ import annotations

from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
import redis

SECONDS = 5


def database_trouble(url: str) -> str:
    """Why PostgreSQL cannot be used, or '' when it can."""
    parts = urlsplit(url)
    try:
        with psycopg.connect(url, connect_timeout=SECONDS) as connection:
            if connection.info.server_version < 140000:
                return "DATABASE_URL names a PostgreSQL older than 14, and 14 or newer is needed: upgrade it."
    except (psycopg.Error, UnicodeError) as error:
        first = (str(error).strip().splitlines() or ["no answer"])[0]
        reason = first.split("failed: ")[-1].removeprefix("FATAL:").strip().rstrip(".")
        where = f"{parts.hostname or 'the socket'}:{parts.port or 5432}, database {parts.path.lstrip('/')}"
        return (
            f"DATABASE_URL cannot be used ({where}: {reason}): correct it, start that server, or leave DATABASE_URL "
            "empty for the embedded PostgreSQL."
        )
    return ""


def pooler_mode(url: str) -> str:
    """What stands between us and PostgreSQL: '' (nothing), 'session', or 'transaction' when sessions are shared.

    Raises psycopg.Error.
    """
    pid = "SELECT pg_backend_pid()"
    with psycopg.connect(url, connect_timeout=SECONDS, autocommit=True) as first:
        behind = _number(first, pid)
        if behind == first.info.backend_pid:
            return ""
        # While we stay connected and ask nothing: whoever comes next is given our server, if it is not ours to keep.
        with psycopg.connect(url, connect_timeout=SECONDS) as second:
            if _number(second, pid) == behind:
                return "transaction"
            return "session" if _number(first, pid) == behind else "transaction"


def same_database(url: str, other: str) -> bool:
    """Whether both lead to one database of one server. Raises psycopg.Error."""
    return _identity(url) == _identity(other)


def _identity(url: str) -> tuple[object, ...] | None:
    with psycopg.connect(url, connect_timeout=SECONDS, autocommit=True) as connection:
        return connection.execute("SELECT current_database(), pg_postmaster_start_time()").fetchone()


def _number(connection: psycopg.Connection[tuple[object, ...]], question: LiteralString) -> int:
    row = connection.execute(question).fetchone()
    assert row is not None
    return int(str(row[0]))


def redis_trouble(url: str) -> str:
    """Why Redis cannot be used, or '' when it can."""
    parts = urlsplit(url)
    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS)
        client.ping()
        client.close()
    except (redis.RedisError, ValueError) as error:
        return (
            f"REDIS_URL cannot be used ({parts.hostname}:{parts.port or 6379}: {str(error).rstrip('.')}): correct it, "
            "start that server, or leave REDIS_URL empty for the embedded one."
        )
    return ""
