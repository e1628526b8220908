"""`manage.py bench_ops`: how long the desk's pages take beside a million steps, in a database of its own."""

from __future__ import annotations

import os
import re
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper

from support_agent.management.base import OpsCommand
from support_agent.models import Step, Turn
from support_agent.ops.bench.fill import STAFF, fill
from support_agent.ops.bench.pages import Timed, time_pages
from support_agent.runtime.rollups import rollups_rebuild
from tickets.models import Conversation, User

OWN = re.compile(r"bench_[a-z0-9_]{1,40}")  # never a database that is somebody's


def _number(value: str) -> int:
    if not value.isdigit() or int(value) < 1:
        raise ArgumentTypeError(f"{value!r} is not a number above 0")
    return int(value)


def _own_name(value: str) -> str:
    if not OWN.fullmatch(value):
        raise ArgumentTypeError(f"{value!r} is no name for a database of its own: bench_ and letters, digits or _")
    return value


class Command(OpsCommand):
    help = "Times the desk's pages among 50,000 conversations with 1,000,000 steps, in a database of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--conversations", type=_number, default=50_000)
        parser.add_argument("--steps", type=_number, default=1_000_000)
        parser.add_argument(
            "--keep", type=_own_name, metavar="NAME", help="leave the database under this name; one that exists is used"
        )

    def handle(self, *args: Any, conversations: int, steps: int, keep: str | None, **options: Any) -> None:
        seconds: dict[str, float] = {}
        with _database(keep) as is_new:
            if is_new:
                with _clocked(seconds, "fill"):
                    fill(conversations, steps)
                    with connection.cursor() as cursor:
                        cursor.execute("VACUUM ANALYZE")  # what autovacuum does on its way
            elif not User.objects.filter(username=STAFF[0][0]).exists():
                raise CommandError(f"The database {keep} is not one of these; drop it or take another name.")
            with _clocked(seconds, "rollups"):
                rollups_rebuild()
            sizes = {
                "conversations": Conversation.objects.count(),
                "turns": Turn.objects.count(),
                "steps": Step.objects.count(),
            }
            pages = time_pages(User.objects.get(username=STAFF[0][0]))
        found = {"sizes": sizes, "seconds": seconds, "pages": [page.as_json() for page in pages]}
        self.print_json(found) if options["json"] else self.stdout.write(_report(sizes, seconds, pages))


@contextmanager
def _database(keep: str | None) -> Iterator[bool]:
    """Connected to a database of its own; whether it is new (and migrated). Dropped afterwards unless kept."""
    name, mine = keep or f"bench_ops_{os.getpid()}", connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        is_new = cursor.fetchone() is None
        if is_new:
            cursor.execute(f'CREATE DATABASE "{name}"')
    _turn_to(name)
    try:
        call_command("migrate", verbosity=0)
        yield is_new
    finally:
        _turn_to(mine)
        if not keep:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}"')


def _turn_to(database: str) -> None:
    wrapper = connections["default"]
    wrapper.close()
    if isinstance(wrapper, DatabaseWrapper):
        wrapper.close_pool()  # its connections are to the other database
    wrapper.settings_dict["NAME"] = database


@contextmanager
def _clocked(seconds: dict[str, float], what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[what] = round(time.perf_counter() - began, 1)


def _report(sizes: dict[str, int], seconds: dict[str, float], pages: list[Timed]) -> str:
    lines = [
        ", ".join(f"{number:,} {what}" for what, number in sizes.items()),
        ", ".join(f"{what} {took} s" for what, took in seconds.items()),
        f"{'':36}{'median ms':>10}{'max ms':>9}{'queries':>9}{'kB':>6}",
    ]
    for one in pages:
        if one.note:
            lines.append(f"{one.page:36}{one.note}")
        else:
            lines.append(f"{one.page:36}{one.median_ms:>10}{one.max_ms:>9}{one.queries:>9}{one.kilobytes:>6}")
    return "\n".join(lines)
