"""Remembers what was prepared, so that a second start need not load Django to find that nothing is to do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import psycopg

from support_agent.env import BASE_DIR, Env

APPLIED = "SELECT array_agg(app || '.' || name ORDER BY id) FROM django_migrations"


def fingerprint(env: Env, database_url: str) -> str:
    """Changes whenever preparing might have work: another database, other packages, migrations, modes or styles."""
    digest = hashlib.sha256(f"{database_url} {env.debug} {env.demo}".encode())
    digest.update((BASE_DIR / "requirements.txt").read_bytes())
    for path in sorted(BASE_DIR.glob("*/migrations/*.py")):
        digest.update(path.read_bytes())
    if not env.debug:
        for path in sorted((BASE_DIR / "static").rglob("*")):
            digest.update(f"{path} {path.stat().st_mtime_ns}".encode())
        digest.update(str((BASE_DIR / "staticfiles" / "staticfiles.json").exists()).encode())
    return digest.hexdigest()


def remembered(env: Env, database_url: str) -> dict[str, str] | None:
    """The demo's logins of last time when nothing has changed since, in the database either; else None."""
    try:
        noted: dict[str, Any] = json.loads(_path(env).read_text())
        if noted["fingerprint"] != fingerprint(env, database_url):
            return None
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            applied = connection.execute(APPLIED).fetchone()
            emptied = env.demo and not connection.execute("SELECT 1 FROM tickets_customer LIMIT 1").fetchone()
        same: bool = not emptied and applied is not None and applied[0] == noted["applied"]
    except (OSError, ValueError, LookupError, psycopg.Error):
        return None
    return noted["logins"] if same else None


def remember(env: Env, database_url: str, logins: dict[str, str]) -> None:
    """Note that everything is prepared."""
    with psycopg.connect(database_url) as connection:
        applied = connection.execute(APPLIED).fetchone()
    assert applied is not None
    note = {"fingerprint": fingerprint(env, database_url), "applied": applied[0], "logins": logins}
    path = _path(env)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(note))


def _path(env: Env) -> Path:
    return env.data_dir / "prepared.json"
