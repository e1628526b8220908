"""What watches an attack from outside the product: every row of the database, every frame, every connection."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection

Json = dict[str, Any]
LOGS = {"support_agent_step"}  # a turn's own diary: read by the checks, never by a tool
Snapshot = dict[tuple[str, str], str]


@dataclass(slots=True)
class Frames:
    """A channel layer that keeps what is sent, in its order: (group, message)."""

    sent: list[tuple[str, Json]] = field(default_factory=list)
    _ends: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    async def group_send(self, group: str, message: Json) -> None:
        self.sent.append((group, message))
        event = message.get("event", {})
        if event.get("type") == "turn":
            self._ends[event["turn_id"]].set()

    async def end_of(self, turn_id: UUID | str) -> None:
        """Wait until the end of a turn is told."""
        async with asyncio.timeout(45):
            await self._ends[str(turn_id)].wait()


@dataclass(frozen=True, slots=True)
class Change:
    """A row that was written, as it is now; empty when it is gone."""

    table: str
    key: str
    row: Json


def snapshot() -> Snapshot:
    """A hash of every row of every table but the logs."""
    with connection.cursor() as cursor:
        cursor.execute(_every_row())
        return {(table, key): found for table, key, found in cursor.fetchall()}


def changes(before: Snapshot, after: Snapshot) -> list[Change]:
    """What was made, changed or deleted in between."""
    touched = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    found = []
    with connection.cursor() as cursor:
        for table, key in touched:
            cursor.execute(f'SELECT to_jsonb(t) FROM "{table}" t WHERE "{_tables()[table]}"::text = %s', [key])
            row = cursor.fetchone()
            found.append(Change(table, key, _as_json(row[0]) if row else {}))
    return found


@contextmanager
def no_way_out() -> Iterator[list[str]]:
    """Connections to anything but this machine fail, and are listed."""
    tried: list[str] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(str(address[0])):
            tried.append(str(address))
            raise ConnectionRefusedError(f"nothing leaves this machine: {address}")
        connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
        if not _is_here(name):
            tried.append(name)
            raise socket.gaierror(f"nothing leaves this machine: {name}")
        return look_up(host, *args, **kwargs)

    socket.socket.connect, socket.getaddrinfo = guarded, guarded_look_up  # type: ignore[method-assign, assignment]
    try:
        yield tried
    finally:
        socket.socket.connect, socket.getaddrinfo = connect, look_up  # type: ignore[method-assign]


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", socket.gethostname()}


@cache
def _tables() -> dict[str, str]:
    """Every table with its key's column."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    return {m._meta.db_table: str(m._meta.pk.column) for m in models if m._meta.pk and m._meta.db_table not in LOGS}


@cache
def _every_row() -> str:
    return " UNION ALL ".join(
        f'SELECT \'{table}\', "{key}"::text, md5(t::text) FROM "{table}" t' for table, key in _tables().items()
    )


def _as_json(value: Any) -> Json:
    found: Json = json.loads(value) if isinstance(value, str) else value
    return found
