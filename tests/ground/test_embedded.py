"""The embedded servers: shared by whoever needs them, gone with the last, apart from every other copy's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from support_agent.embedded import EmbeddedError, Postgres, Valkey, servers
from support_agent.embedded.holding import held, revive

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no embedded servers there")
HOLD = """
import sys
from pathlib import Path
from support_agent.embedded import servers
with servers(Path(sys.argv[1]), durable=False):
    print("holding", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: pytest's own are too long for sockets, which another test is about."""
    made = Path(tempfile.mkdtemp(prefix="emb-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def start_holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    return process


def release(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=30)
    assert process.returncode == 0


def test_the_last_one_out_stops_them(folder: Path) -> None:
    postgres, valkey = Postgres(folder / "postgres"), Valkey(folder / "valkey")
    first, second = start_holder(folder), start_holder(folder)
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT 6 * 7").fetchone() == (42,)
    redis.Redis.from_url(valkey.url).set("kept", "yes")
    release(first)
    assert postgres.running()
    assert valkey.running()
    second.kill()  # leaves no trace: its locks go with it
    second.communicate()
    assert postgres.running()
    release(start_holder(folder))
    assert not postgres.running()
    assert not valkey.running()
    with servers(folder, postgres=False):
        assert redis.Redis.from_url(valkey.url).get("kept") == b"yes"


def test_several_at_once_start_one_server(folder: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        holders = list(threads.map(start_holder, [folder] * 4))
    for holder in holders:
        release(holder)
    assert not Postgres(folder / "postgres").running()


def test_two_copies_stand_side_by_side(folder: Path) -> None:
    one, two = Valkey(folder / "one" / "valkey"), Valkey(folder / "two" / "valkey")
    with servers(folder / "one", postgres=False), servers(folder / "two", postgres=False):
        redis.Redis.from_url(one.url).set("whose", "one")
        assert redis.Redis.from_url(two.url).get("whose") is None
    assert Postgres(folder / "one" / "postgres").url != Postgres(folder / "two" / "postgres").url


def test_a_taken_port_is_left_to_its_owner(folder: Path) -> None:
    one, two = Valkey(folder / "one"), Valkey(folder / "two")
    two.folder.mkdir()
    with held(one):
        (two.folder / "port").write_text(str(one.port))
        with held(two):
            assert two.port != one.port
            assert two.running()
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(port=two.port, password="guessed", retry=Retry(NoBackoff(), 0)).ping()


def test_a_server_that_died_comes_back(folder: Path) -> None:
    valkey = Valkey(folder / "valkey")
    with held(valkey):
        assert not revive(valkey)
        valkey.stop()
        assert revive(valkey)
        assert valkey.running()


def test_a_folder_of_another_version_is_said_in_one_sentence(folder: Path) -> None:
    old = folder / "postgres"
    old.mkdir()
    (old / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 12, .* Move the folder away"), held(Postgres(old)):
        pass


def test_a_foreign_folder_is_left_alone(folder: Path) -> None:
    other = folder / "postgres"
    other.mkdir()
    (other / "holiday.jpg").write_text("…")
    with pytest.raises(EmbeddedError, match="is not one of PostgreSQL"), held(Postgres(other)):
        pass
    assert (other / "holiday.jpg").exists()


def test_a_broken_folder_gives_the_server_s_reason(folder: Path) -> None:
    postgres = Postgres(folder / "postgres", durable=False)
    with held(postgres):
        pass
    shutil.rmtree(postgres.folder / "global")
    with (
        pytest.raises(EmbeddedError, match=r"could not start .*global/pg_control.* Move the folder away"),
        held(postgres),
    ):
        pass


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("a-rather-long-name" * 5)
    postgres = Postgres(deep / "postgres", durable=False)
    with held(postgres), psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not postgres.socket_dir.exists()


def test_a_command_finds_or_starts_them(folder: Path) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    environment = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(folder)}
    command = [sys.executable, str(root / "manage.py"), "showmigrations", "tickets"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "[ ] 0001_initial" in done.stdout
    assert not Postgres(folder / "postgres").running()
