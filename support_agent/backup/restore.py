"""The way back: into an empty database, compared with what was backed up, and without whoever was erased since."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from support_agent.backup import programs
from support_agent.backup.archive import DUMP, UPLOADS, opened
from support_agent.backup.facts import differences, facts, files, tables
from support_agent.backup.make import note
from support_agent.backup.programs import BackupError
from support_agent.backup.since import leave_behind
from support_agent.env import BASE_DIR
from support_agent.privacy.receipts import BadReceipts, read

Json = dict[str, Any]
Say = Callable[[str], None]
CHECK = "_backup_check"
OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
LIKE_OURS = """SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database
WHERE datname = current_database()"""


def check(path: Path, say: Say) -> Json:
    """Restore an archive into a throw-away database; `differences` are what is not as it was. Raises BackupError."""
    with opened(path) as (tar, manifest):
        say(f"archive: {len(manifest['members'])} members, each as it was written")
        with _throwaway() as url, _connected(url) as connection:
            _fill(tar, url, connection)
            wrong = _compare(connection, manifest, say)
    if not wrong:
        note(checked_at=datetime.now(UTC).isoformat())
    return {"made_at": manifest["made_at"], "differences": wrong}


def restore(path: Path, *, into: str, force: bool, say: Say) -> Json:
    """Bring an archive back; with `into`, a URL, the database alone and into that one. Raises BackupError."""
    url = into or settings.DATABASE_URL
    with opened(path) as (tar, manifest):
        _refuse_newer(manifest)
        with _connected(url) as connection:
            _make_room(connection, force)
            _fill(tar, url, connection)
            wrong = _compare(connection, manifest, say)
        if wrong:
            raise BackupError(f"the restored database is not what was backed up: {'; '.join(wrong)}.")
        count = 0 if into else _uploads(tar, say)
    _manage(url, into, "migrate", "--noinput")
    say("database: brought to the tables of this version")
    with _connected(url) as connection:
        leave_behind(connection, say)
    return {"made_at": manifest["made_at"], "uploads": count, "erasures": _erase_again(url, into, say)}


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Raises BackupError for everything the server says."""
    try:
        with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise BackupError(f"the database says: {str(error).strip().splitlines()[0]}.") from None


@contextmanager
def _throwaway() -> Iterator[str]:
    """An empty database beside ours, dropped at the end; its URL. One at a time."""
    parts = urlsplit(settings.DATABASE_URL)
    with _connected(settings.DATABASE_URL) as ours:
        name = f"{ours.info.dbname[: 63 - len(CHECK)]}{CHECK}"
        row = ours.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
        if not (row and row[0]):
            raise BackupError("another check of a backup is running: wait for it.")
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        like = ours.execute(LIKE_OURS).fetchone()
        assert like is not None
        make = "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
        try:
            ours.execute(drop)  # of a check that was killed
            ours.execute(sql.SQL(make).format(sql.Identifier(name), *map(sql.Literal, like)))
        except psycopg.errors.InsufficientPrivilege:
            role = ours.info.user
            raise BackupError(
                f"the role {role} may not create databases, and a check restores into one: "
                f'ALTER ROLE "{role}" CREATEDB.'
            ) from None
        try:
            yield programs.address(parts._replace(path=f"/{name}"))
        finally:
            ours.execute(drop)


def _make_room(connection: psycopg.Connection[Any], force: bool) -> None:
    """Refuses a database that is used or, without `force`, holds something; else leaves it empty."""
    row = connection.execute(OTHERS).fetchone()
    if row and row[0]:
        raise BackupError(f"{row[0]} connections use that database: stop web, runners, workers and scheduler first.")
    held = tables(connection)
    if held and not force:
        raise BackupError(
            f"that database holds {len(held)} tables: name an empty one with --into, or lose them with --force."
        )
    if held:
        try:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        except psycopg.errors.InsufficientPrivilege:
            raise BackupError("that database can only be emptied by its owner: drop it and create it anew.") from None


def _fill(tar: tarfile.TarFile, url: str, connection: psycopg.Connection[Any]) -> None:
    arguments = ["--no-owner", "--no-acl", "--exit-on-error", "--single-transaction"]
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        tar.extract(DUMP, folder, filter="data")
        version = connection.info.server_version
        programs.run("pg_restore", url, *arguments, str(Path(folder, DUMP)), version=version)
    connection.execute("ANALYZE")


def _compare(connection: psycopg.Connection[Any], manifest: Json, say: Say) -> list[str]:
    found = facts(connection)
    wrong = differences(manifest, found)
    uploads = {name.removeprefix(UPLOADS) for name in manifest["members"] if name.startswith(UPLOADS)}
    lacking = sorted(files(connection) - uploads)
    rows = sum(table["rows"] for table in found["tables"].values())
    say(f"database: {len(found['tables'])} tables, {rows} rows, {len(wrong)} differences")
    if lacking:  # retention and erasures delete while a backup is made
        say(f"uploads: {len(lacking)} that rows name are not in the archive, such as {lacking[0]}")
    return wrong


def _refuse_newer(manifest: Json) -> None:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
    unknown = sorted(set(manifest["migrations"]) - known)
    if unknown:
        raise BackupError(f"the backup was made by a newer version, which has {unknown[-1]}: install that one first.")


def _uploads(tar: tarfile.TarFile, say: Say) -> int:
    """Put every upload back; what else lies there stays."""
    root, count = Path(settings.MEDIA_ROOT), 0
    root.mkdir(parents=True, exist_ok=True)
    for info in tar:
        if info.name.startswith(UPLOADS) and info.isfile():
            info.name = info.name.removeprefix(UPLOADS)
            tar.extract(info, root, filter="data")
            count += 1
    say(f"uploads: {count} files in {root}")
    return count


def _erase_again(url: str, into: str, say: Say) -> int:
    """Apply receipts of erasures that the restored database does not know; how many."""
    path = Path(settings.ERASURE_RECEIPTS)
    if not path.exists():
        say(f"erasures: there is no {path}; with a file of receipts kept elsewhere: erase_customer --reapply FILE")
        return 0
    try:
        receipts = {one["id"]: one for one in read(path.read_text().splitlines())}
    except (OSError, UnicodeDecodeError, BadReceipts) as error:
        raise BackupError(f"{path} cannot be read ({error}): mend it, then erase_customer --reapply it.") from None
    with _connected(url) as connection:
        known = {str(key) for (key,) in connection.execute("SELECT id FROM tickets_erasurerequest")}
    lost = [one for key, one in receipts.items() if key not in known]
    if lost:
        with tempfile.TemporaryDirectory(prefix="restore-") as folder:
            file = Path(folder, "receipts.jsonl")
            file.write_text("".join(json.dumps(one) + "\n" for one in lost))
            _manage(url, into, "erase_customer", "--reapply", str(file))
    say(f"erasures: {len(lost)} made since the backup, applied again")
    return len(lost)


def _manage(url: str, into: str, *arguments: str) -> None:
    """A command of ours over the restored database. Another one than our own writes no line into our own receipts."""
    other = {"DATABASE_URL": url, "DATABASE_DIRECT_URL": url, "ERASURE_RECEIPTS": os.devnull} if into else {}
    command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
    done = subprocess.run(
        command, env={**os.environ, **other}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise BackupError(f"the database is restored, but manage.py {' '.join(arguments)} failed: {why}")
