"""Making a backup: everything of the database at one moment, then the uploads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from support_agent.backup import programs
from support_agent.backup.archive import DUMP, FORMAT, MANIFEST, SECRETS, UPLOADS, Writer, written
from support_agent.backup.facts import facts
from support_agent.backup.programs import BackupError
from support_agent.runtime.code_version import code_version

Json = dict[str, Any]
Say = Callable[[str], None]
NAME = "support-agent-{:%Y%m%dT%H%M%SZ}.tar"
PATTERN = "support-agent-????????T??????Z.tar"


def backup(target: Path, *, with_secrets: bool, say: Say) -> Json:
    """Write an archive to `target`, a file; the manifest. Raises BackupError."""
    manifest: Json = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(), "code": str(code_version())}
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder, written(target) as archive:
            dump = Path(folder, DUMP)
            manifest |= _dump(dump, say)
            archive.file(DUMP, dump)
            manifest |= _uploads(archive, say)
            if with_secrets:
                archive.text(SECRETS, _secrets())
            manifest |= {"with_secrets": with_secrets, "members": archive.members}
            archive.text(MANIFEST, json.dumps(manifest, indent=1))
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror or error}.") from None
    note(made_at=manifest["made_at"], file=str(target.resolve()), bytes=target.stat().st_size, checked_at=None)
    return manifest


def name_of_now() -> str:
    return NAME.format(datetime.now(UTC))


def archives(folder: Path) -> list[Path]:
    """Ours in a folder, the newest first."""
    return sorted(folder.glob(PATTERN), reverse=True)


def note_path() -> Path:
    return Path(settings.DATA_DIR, "last-backup.json")


def note(**changed: Any) -> None:
    """What the doctor and the alerts know of the last backup."""
    try:
        known = json.loads(note_path().read_text())
    except (OSError, ValueError):
        known = {}
    fresh = note_path().with_suffix(".new")
    fresh.write_text(json.dumps(known | changed))
    fresh.replace(note_path())


def _dump(path: Path, say: Say) -> Json:
    """Dump and figures of one snapshot."""
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=10) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = connection.execute("SELECT pg_export_snapshot(), current_setting('server_version')").fetchone()
            assert row is not None
            version = connection.info.server_version
            arguments = ["--format=custom", "--no-owner", "--no-acl", "--no-comments", f"--file={path}"]
            programs.run("pg_dump", settings.DATABASE_URL, *arguments, f"--snapshot={row[0]}", version=version)
            found = facts(connection)
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be read: {str(error).strip().splitlines()[0]}.") from None
    rows = sum(table["rows"] for table in found["tables"].values())
    say(f"database: {len(found['tables'])} tables, {rows} rows, {_size(path.stat().st_size)}")
    return {"postgresql": row[1], **found}


def _uploads(archive: Writer, say: Say) -> Json:
    root, count, total = Path(settings.MEDIA_ROOT), 0, 0
    for path in sorted(found for found in root.rglob("*") if found.is_file() and not found.is_symlink()):
        try:
            total += archive.file(f"{UPLOADS}{path.relative_to(root)}", path)
        except FileNotFoundError:  # retention or an erasure took it meanwhile
            continue
        count += 1
        if count % 500 == 0:
            say(f"uploads: {count} so far, {_size(total)}")
    say(f"uploads: {count} files, {_size(total)}")
    return {"uploads": {"files": count, "bytes": total}}


def _secrets() -> str:
    """The two that what is stored was signed and hashed with; every other one can be had anew."""
    return f"SECRET_KEY={settings.SECRET_KEY}\nIDENTITY_SECRET={settings.IDENTITY_SECRET}\n"


def _size(number: int) -> str:
    return f"{number / 1_000_000:.1f} MB"
