"""The environment: a bad value stops the start with one sentence, unsafe combinations are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support_agent.env import Env, EnvError, read_env

STRONG = "k" * 24 + "Qx7-Zw9_Lm2"


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment with a data folder and nothing else."""
    for name in Env.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Env.model_config, "env_file", None)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DEBUG", "true")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "eighty", "a port number"),
        ("PORT", "70000", "a port number"),
        ("DEBUG", "perhaps", "true or false"),
        ("DATABASE_URL", "mysql://shop:hidden@db/shop", "postgresql://"),
        ("DATABASE_URL", "postgresql://shop:hidden@db:port/shop", "postgresql://"),
        ("REDIS_URL", "localhost:6379", "redis://"),
        ("ALLOWED_ORIGINS", "https://a.example,b.example", "full origins"),
        ("ANTHROPIC_BASE_URL", "gateway.example", "http"),
        ("RATE_LIMIT_SCALE", "0", "above 0"),
        ("RATE_LIMIT_SCALE", "nan", "above 0"),
        ("EMAIL_URL", "pop://me:hidden@mail.example", "smtp://"),
        ("EMAIL_REPLY_TO", "help", "a mailbox"),
        ("IDENTITY_SECRET", "hidden", "at least 32 characters"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO"),
        ("DATA_DIR", "/proc/nowhere", "can be written"),
    ],
)
def test_a_mistyped_value_is_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(EnvError) as caught:
        read_env()
    sentence = str(caught.value)
    assert sentence.startswith(name)
    assert expected in sentence
    assert "hidden" not in sentence
    assert "\n" not in sentence


def test_the_start_ends_with_the_sentence_and_no_traceback() -> None:
    root = Path(__file__).resolve().parent.parent.parent
    environment = {**os.environ, "PORT": "eighty"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "PORT is 'eighty', but a port number from 1 to 65535 is expected.\n"


def test_production_needs_a_secret_key_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "false")
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/shop")
    for weak in ("", "short", "django-insecure-" + STRONG, "change-me-" + STRONG):
        monkeypatch.setenv("SECRET_KEY", weak)
        with pytest.raises(EnvError, match="SECRET_KEY must be"):
            read_env()
    monkeypatch.setenv("SECRET_KEY", STRONG)
    assert read_env().secret_key.get_secret_value() == STRONG


def test_development_keeps_its_secrets(tmp_path: Path) -> None:
    first, second = read_env(), read_env()
    assert first.secret_key == second.secret_key
    assert first.secret_key != first.identity_secret
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("hosts", "host", "refused"),
    [
        ("", "127.0.0.1", False),
        ("localhost,[::1]", "::1", False),
        ("shop.example", "127.0.0.1", True),
        ("", "::", True),
    ],
)
def test_the_demo_is_refused_where_others_can_reach_it(
    monkeypatch: pytest.MonkeyPatch, hosts: str, host: str, refused: bool
) -> None:
    for name, value in {"DEMO": "1", "SECRET_KEY": STRONG, "ALLOWED_HOSTS": hosts, "HOST": host}.items():
        monkeypatch.setenv(name, value)
    assert read_env().demo  # with DEBUG it is for trying out
    monkeypatch.setenv("DEBUG", "false")
    if refused:
        with pytest.raises(EnvError, match="DEMO=true is refused"):
            read_env()
    else:
        assert read_env().demo


def test_lists_and_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", " https://a.example , http://localhost:3000 ,")
    monkeypatch.setenv("PORT", "")
    env = read_env()
    assert env.allowed_origins == ["https://a.example", "http://localhost:3000"]
    assert env.port == 8000


def test_secrets_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-hidden")
    assert "hidden" not in repr(read_env())
