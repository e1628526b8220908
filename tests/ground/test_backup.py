"""`manage.py backup` and `restore`: what comes back is what went in, but for whoever was erased since."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from support_agent.backup.programs import BackupError, find
from support_agent.backup.restore import check, restore
from tests.stack import ROOT, Stack, fresh_database

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("stack")]
UPLOAD = "attachments/ab/picture.png"
# What is under way when the backup is made, and not due while these tests run.
UNDER_WAY = """
from datetime import timedelta
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from tickets.models import Action, Customer, Effect, Job, Webhook, WebhookDelivery
from tickets.services.conversations import conversation_create
later = timezone.now() + timedelta(days=1)
customer = Customer.objects.order_by("created_at").last()
conversation, _ = conversation_create(channel="chat", customer=customer, identity="session")
for state in ("intended", "sending", "unknown", "done"):
    action = Action.objects.create(
        conversation=conversation, customer=customer, idempotency_key=f"under way {state}", tool="cancel_order",
        arguments={"order_number": "AP-1"}, summary="Cancel", state="confirmed", expires_at=later,
    )
    settled_at = later if state == "done" else None
    Effect.objects.create(
        action=action, key=f"under way {state}", state=state, next_at=later, deadline_at=later, settled_at=settled_at
    )
hook = Webhook.objects.create(
    name="Under way", url="https://hooks.example/", events=["ticket.created"], is_active=False
)
for state in ("waiting", "sent"):
    WebhookDelivery.objects.create(
        webhook=hook, event_id=conversation.pk if state == "sent" else customer.pk, type="ticket.created", payload={},
        state=state, due_at=later,
    )
for queue in ("mail", "default"):
    Job.objects.create(function="tickets.jobs.mail_return_label", arguments=["x"], queue=queue, due_at=later)
SessionStore().save()
"""


@pytest.fixture(scope="module")
def archive(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the running product, with one upload."""
    folder = tmp_path_factory.mktemp("backed-up")
    (folder / "media" / UPLOAD).parent.mkdir(parents=True)
    (folder / "media" / UPLOAD).write_bytes(b"a picture")
    under_way = [sys.executable, str(ROOT / "manage.py"), "shell", "-c", UNDER_WAY]
    planted = subprocess.run(under_way, env=stack.environment, capture_output=True, text=True)
    assert planted.returncode == 0, planted.stderr
    command = [sys.executable, str(ROOT / "manage.py"), "backup", f"{folder}/", "--keep", "1", "--json"]
    environment = {**stack.environment, "DATA_DIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["tables"]["tickets_order"]["rows"] > 1000
    assert report["uploads"] == {"files": 1, "bytes": 9}
    assert json.loads((folder / "last-backup.json").read_text())["file"] == report["file"]
    return Path(report["file"])


@pytest.fixture(autouse=True)
def data_dir(settings: LazySettings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.ERASURE_RECEIPTS = tmp_path / "erasures.jsonl"
    return tmp_path


@pytest.fixture
def house(settings: LazySettings, stack: Stack, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database that is ours now, for this process and for those it starts."""
    settings.DATABASE_URL = fresh_database("restored")
    for name, value in (stack.environment | {"DATABASE_URL": settings.DATABASE_URL, "DATA_DIR": str(data_dir)}).items():
        monkeypatch.setenv(name, value)
    return str(settings.DATABASE_URL)


def ask(url: str, query: str) -> Any:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload,unused-ignore]
    return row and row[0]


def quiet(_: str) -> None: ...


def test_a_check_restores_on_trial_and_leaves_nothing(archive: Path, data_dir: Path, settings: LazySettings) -> None:
    assert archive.stat().st_mode & 0o077 == 0
    assert b"SECRET_KEY" not in archive.read_bytes()
    assert check(archive, quiet)["differences"] == []
    assert json.loads((data_dir / "last-backup.json").read_text())["checked_at"]
    left = "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_backup\\_check'"
    assert ask(settings.DATABASE_URL, left) == 0


def test_a_restore_brings_all_back_but_who_was_erased_since(archive: Path, house: str, data_dir: Path) -> None:
    told: list[str] = []
    restore(archive, into="", force=False, say=told.append)
    assert (data_dir / "media" / UPLOAD).read_bytes() == b"a picture"
    nothing_happens_twice(house, told)
    erased = "SELECT count(*) FROM tickets_erasurerequest WHERE state = 'done'"
    before = ask(house, erased)
    email = ask(house, "SELECT email FROM tickets_customer ORDER BY created_at LIMIT 1")
    subprocess.run([sys.executable, str(ROOT / "manage.py"), "erase_customer", email], check=True)
    here = f"SELECT count(*) FROM tickets_customer WHERE email = '{email}'"
    assert ask(house, here) == 0

    with pytest.raises(BackupError, match="or lose them with --force"):
        restore(archive, into="", force=False, say=quiet)
    assert restore(archive, into="", force=True, say=quiet)["erasures"] == 1
    assert ask(house, here) == 0
    assert ask(house, erased) == before + 1


def nothing_happens_twice(url: str, told: list[str]) -> None:
    """What was under way at the time of the backup was sent, done or ended since."""
    assert ask(url, "SELECT count(*) FROM django_session") == 0
    asked = """SELECT array_agg(
        state || ' ' || (next_at <= now() AND deadline_at > now() AND attempts > 0) ORDER BY key
        ) FROM tickets_effect WHERE key LIKE 'under way%%'"""
    assert ask(url, asked) == ["done false", "unknown true", "unknown true", "unknown true"]
    sent = "SELECT array_agg(state || ' ' || error ORDER BY state) FROM tickets_webhookdelivery"
    assert ask(url, sent) == ["failed Restored from a backup.", "sent "]
    assert ask(url, "SELECT count(*) FROM tickets_job WHERE queue = 'mail'") == 0
    assert ask(url, "SELECT count(*) FROM tickets_job WHERE queue = 'default'") > 0
    assert "changes in other systems that were open: 3, to be asked about" in told


def test_a_database_in_use_is_left_alone(stack: Stack, archive: Path) -> None:
    with pytest.raises(BackupError, match="stop web, runners, workers and scheduler first"):
        restore(archive, into=stack.environment["DATABASE_URL"], force=True, say=quiet)


def test_a_broken_archive_is_told(archive: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar"
    content = bytearray(archive.read_bytes())
    content[content.index(b"a picture")] ^= 1
    broken.write_bytes(content)
    with pytest.raises(BackupError, match=f"uploads/{UPLOAD} is not as it was written"):
        check(broken, quiet)
    broken.write_bytes(content[:2000])
    with pytest.raises(BackupError, match="no backup of ours"):
        check(broken, quiet)


def test_a_copy_that_differs_is_told(archive: Path, tmp_path: Path) -> None:
    lying = tmp_path / "lying.tar"
    with tarfile.open(archive) as old, tarfile.open(lying, "w") as new:
        for info in old:
            body = old.extractfile(info).read()  # type: ignore[union-attr]
            if info.name == "manifest.json":
                manifest = json.loads(body)
                manifest["tables"]["tickets_order"]["rows"] += 1
                manifest["tables"]["tickets_message"]["digest"] = "1"
                body = json.dumps(manifest).encode()
                info.size = len(body)
            new.addfile(info, io.BytesIO(body))
    messages, orders = check(lying, quiet)["differences"]
    assert messages == "tickets_message has other contents than were backed up"
    assert orders.startswith("tickets_order has ")


def test_a_program_older_than_the_server_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (15, 17, 18):
        folder = tmp_path / str(version)
        folder.mkdir()
        (folder / "pg_dump").write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.2 (Debian)'\n")
        (folder / "pg_dump").chmod(0o755)
    places = [tmp_path / str(version) / "pg_dump" for version in (18, 15, 17)]
    monkeypatch.setattr("support_agent.backup.programs._places", lambda _: iter(places))
    assert find("pg_dump", 16) == tmp_path / "17" / "pg_dump"
    with pytest.raises(BackupError, match=r"pg_dump 19 or newer is needed .* apt-get install postgresql-client-19"):
        find("pg_dump", 19)


@pytest.mark.parametrize(
    "arguments", [["backup", "no/such/b.tar"], ["backup", "b.tar", "--keep", "3"], ["restore", "none.tar"]], ids=str
)
def test_a_wrong_argument_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command(*arguments)
    assert refused.value.returncode == 2
