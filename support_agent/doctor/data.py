"""Where everything is kept: modes, servers and their versions, the clock, the disk, secrets and backups."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django_rq
from django.conf import settings
from django.db import connection

from support_agent.backup.make import note_path
from support_agent.doctor.finding import Check, Finding
from support_agent.env import BASE_DIR, env

OLDEST_POSTGRES, OLDEST_REDIS = 14, (6, 2)
MOST_SKEW_S = 2.0
BACKUP_WITHIN = timedelta(hours=30)  # a nightly one, and the time it takes
CHECK_WITHIN = timedelta(days=35)
LITTLE_BYTES, ROOM_BYTES = 1_000_000_000, 5_000_000_000


def _mode() -> Iterator[Finding]:
    wrong = [name for name, is_on in (("DEBUG", env.debug), ("DEMO", env.demo)) if is_on]
    if wrong:
        yield Finding("mode", "missing", f"{' and '.join(wrong)} on", f"set {', '.join(f'{n}=false' for n in wrong)}")
    else:
        yield Finding("mode", "ok", "production")
    empty = [name for name in ("DATABASE_URL", "REDIS_URL") if not getattr(env, name.lower())]
    if empty:
        detail = f"{' and '.join(empty)} empty: an embedded server, made for development"
        yield Finding("servers", "missing", detail, f"install the real one and set {' and '.join(empty)}")
    if (env.data_dir / "secret_key").is_file():
        kept = env.data_dir / "secret_key"
        if kept.read_text().strip() == settings.SECRET_KEY:
            yield Finding("secret", "missing", f"SECRET_KEY is development's, in {kept}", "set SECRET_KEY")
    if env.demo_model:
        yield Finding("who answers", "missing", "the built-in demo model", "set ANTHROPIC_API_KEY")
    if "alderandpine.example" in settings.DEFAULT_FROM_EMAIL:
        yield Finding("sender", "missing", f"mails come from {settings.DEFAULT_FROM_EMAIL}", "set EMAIL_FROM")


def _env_file() -> Iterator[Finding]:
    path = (BASE_DIR / ".env").resolve()
    if not path.is_file():
        return
    if path.stat().st_mode & 0o007:
        yield Finding("env file", "missing", f"everybody on this machine may read {path}", f"chmod 640 {path}")
    else:
        yield Finding("env file", "ok", f"{path} is not for everybody")


def _disk() -> Iterator[Finding]:
    folder = Path(settings.DATA_DIR)
    try:
        probe = folder / ".doctor"
        probe.touch()
        probe.unlink()
    except OSError as error:
        mend = "make it writable for the user of the processes"
        yield Finding("disk", "missing", f"DATA_DIR {folder} cannot be written: {error.strerror}", mend)
        return
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:.1f} GB free in {folder}"
    mend = "" if free >= ROOM_BYTES else "make room: uploads and backups grow"
    yield Finding("disk", "ok" if free >= ROOM_BYTES else "note" if free >= LITTLE_BYTES else "missing", detail, mend)


def _backups() -> Iterator[Finding]:
    mend = "manage.py backup DIR --keep 14 every night: docs/production.md"
    try:
        last = json.loads(note_path().read_text())
        age = datetime.now(UTC) - datetime.fromisoformat(last["made_at"])
    except (OSError, ValueError, KeyError):
        yield Finding("backup", "missing", "none was made yet", mend)
        return
    detail = f"{last['file']}, {_age(age)} old, {last['bytes'] / 1e6:.1f} MB"
    if age > BACKUP_WITHIN:
        yield Finding("backup", "missing", f"the last one is too old: {detail}", mend)
        return
    yield Finding("backup", "ok", detail)
    checked = last.get("checked_at")
    if not checked or datetime.now(UTC) - datetime.fromisoformat(checked) > CHECK_WITHIN:
        yield Finding("backup tried", "note", "none was restored on trial lately", "manage.py backup --check DIR")


def _redis_server() -> Iterator[Finding]:
    info: Any = django_rq.get_connection("default").info()
    name = info.get("server_name", "redis")
    version = str(info.get("valkey_version") or info["redis_version"])
    compatible = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    new = compatible >= OLDEST_REDIS
    yield Finding(
        "redis version", "ok" if new else "missing", f"{name} {version}", "" if new else "install 6.2 or newer"
    )
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory") and policy != "noeviction":
        detail = f"maxmemory-policy is {policy}: queued jobs may be thrown away"
        yield Finding("redis memory", "missing", detail, "set maxmemory-policy noeviction")


def _postgres_server() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp()), current_setting('server_version_num')::int")
        theirs, version = cursor.fetchone()
        skew = abs(float(theirs) - (before + time.time()) / 2)
        cursor.execute("SELECT current_setting('max_connections')::int, (SELECT count(*) FROM pg_stat_activity)")
        most, used = cursor.fetchone()
    new = version // 10_000 >= OLDEST_POSTGRES
    mend = "" if new else f"install PostgreSQL {OLDEST_POSTGRES} or newer"
    yield Finding("postgres version", "ok" if new else "missing", str(version // 10_000), mend)
    if skew > MOST_SKEW_S:
        yield Finding("clock", "missing", f"{skew:.1f} s away from PostgreSQL's", "run an NTP client on both machines")
    else:
        yield Finding("clock", "ok", f"{skew * 1000:.0f} ms from PostgreSQL's at most")
    little = used > most * 0.8
    mend = "raise max_connections, or lower DATABASE_POOL_SIZE" if little else ""
    yield Finding("connections", "note" if little else "ok", f"{used} of PostgreSQL's {most} are taken", mend)


def _age(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"


CHECKS: tuple[Check, ...] = (_mode, _env_file, _disk, _backups, _redis_server)
DATABASE_CHECKS: tuple[Check, ...] = (_postgres_server,)
