"""Serving strangers: `check --deploy` is clean, what is unsafe is told, what is never right does not start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client, override_settings

from support_agent import doctor
from support_agent.env import Env, EnvError, read_env
from support_agent.production import risks
from tests.stack import ROOT

GOOD = {
    "SECRET_KEY": "9f8A7s6d5F4g3h2J1k0lqWertzuiopYxcvbnm1234567890abcdEFGH",
    "IDENTITY_SECRET": "zQ8a7s6d5f4g3h2j1k0lqwertzuiopyxcvbnm12345678",
    "DEBUG": "false",
    "DEMO": "false",
    "ALLOWED_HOSTS": "help.shop.example",
    "ALLOWED_ORIGINS": "https://help.shop.example",
    "TRUST_PROXY": "true",
    "DATABASE_URL": "postgresql://shop:hidden@db.shop.example/shop",
    "REDIS_URL": "rediss://:hidden@redis.shop.example:6379/0",
    "EMAIL_URL": "smtp://desk:hidden@mail.shop.example:587",
    "ANTHROPIC_API_KEY": "sk-ant-hidden",
}


@pytest.fixture
def good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The environment of a sound production start, and nothing else."""
    for name in Env.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Env.model_config, "env_file", None)
    for name, value in {**GOOD, "DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def check(tmp_path: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    # Values that are set but empty keep a developer's own .env out.
    silent = {name.upper(): "" for name in Env.model_fields if os.environ.get(name.upper())}
    environment = {**os.environ, **silent, **GOOD, "DATA_DIR": str(tmp_path), **changed}
    environment["DJANGO_SETTINGS_MODULE"] = "support_agent.settings"
    command = [sys.executable, str(ROOT / "manage.py"), "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.timeout(120)
def test_a_sound_environment_has_no_warning(tmp_path: Path) -> None:
    done = check(tmp_path, HSTS_SUBDOMAINS="true")
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


@pytest.mark.timeout(120)
def test_an_unsafe_one_is_told_with_its_mend(tmp_path: Path) -> None:
    done = check(tmp_path, ALLOWED_HOSTS="*", TRUST_PROXY="false")
    assert done.returncode == 1
    for words in ("desk.E002", "security.W008", "desk.W006", "set TRUST_PROXY=true", "2 silenced"):
        assert words in done.stderr, done.stderr
    assert "hidden" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DEMO", "true", "desk.E001"),
        ("ALLOWED_HOSTS", "*", "desk.E002"),
        ("ALLOWED_HOSTS", ".shop.example", "desk.W003"),
        ("ALLOWED_ORIGINS", "https://help.shop.example,http://shop.example", "desk.W004"),
        ("WIDGET_ORIGINS", "https://shop.example,http://blog.example", "desk.W008"),
        ("ALLOWED_ORIGINS", "", "desk.W005"),
        ("TRUST_PROXY", "false", "desk.W006"),
        ("RATE_LIMIT_SCALE", "1000", "desk.W007"),
        ("ANTHROPIC_BASE_URL", "http://gateway.shop.example", "desk.W011"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.shop.example:4318", "desk.W012"),
        ("DATABASE_URL", "postgresql://shop@db.shop.example/shop", "desk.W020"),
        ("DATABASE_URL", "postgresql://shop@/shop?host=db.shop.example", "desk.W020"),
        ("DATABASE_URL", "", "desk.W020"),
        ("REDIS_URL", "redis://redis.shop.example:6379/0", "desk.W021"),
        ("EMAIL_URL", "", "desk.W030"),
        ("EMAIL_URL", "console:", "desk.W030"),
    ],
)
def test_each_risk_has_a_name(good: pytest.MonkeyPatch, name: str, value: str, expected: str) -> None:
    good.setenv(name, value)
    assert [risk.id for risk in risks(Env())] == [expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANTHROPIC_BASE_URL", "http://127.0.0.1:4000"),
        ("DATABASE_URL", "postgresql://shop@localhost/shop"),
        ("DATABASE_URL", "postgresql://shop@/shop?host=/run/postgresql"),
        ("REDIS_URL", "redis://127.0.0.1:6379/0"),
        ("ALLOWED_ORIGINS", "https://help.shop.example,http://localhost:3000"),
    ],
)
def test_this_machine_needs_neither_tls_nor_passwords(good: pytest.MonkeyPatch, name: str, value: str) -> None:
    good.setenv(name, value)
    assert not list(risks(Env()))


@pytest.mark.parametrize("name", ["SECRET_KEY", "IDENTITY_SECRET"])
@pytest.mark.parametrize(
    "value", ["a" * 60, "abcabcabc" * 8, "django-insecure-9f8A7s6d5F4g3h2J1k0lqWertz", "change-me " * 6]
)
def test_a_secret_that_is_none_does_not_start(good: pytest.MonkeyPatch, name: str, value: str) -> None:
    good.setenv(name, value)
    with pytest.raises(EnvError) as caught:
        read_env()
    sentence = str(caught.value)
    assert sentence.startswith(f"{name} must be a random text")
    assert value not in sentence
    good.setenv("DEBUG", "true")
    read_env()


def test_the_secret_of_other_sites_is_not_ours(good: pytest.MonkeyPatch) -> None:
    good.setenv("IDENTITY_SECRET", GOOD["SECRET_KEY"])
    with pytest.raises(EnvError, match="IDENTITY_SECRET must not be SECRET_KEY"):
        read_env()
    good.setenv("IDENTITY_SECRET", "")  # no signed identities: nothing to guess
    read_env()


@override_settings(
    SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=3600, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")
)
@pytest.mark.django_db
def test_plain_http_is_sent_to_https_but_machines_are_answered() -> None:
    client = Client()
    answer = client.get("/help/?q=tent")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/help/?q=tent")
    assert client.get("/healthz").status_code == 200
    answer = client.get("/help/", headers={"X-Forwarded-Proto": "https"})
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=3600"


def test_the_doctor_says_the_same(good: pytest.MonkeyPatch) -> None:
    good.setattr(doctor.here, "env", Env())
    assert [finding.state for finding in doctor.here._production()] == ["ok"]
    good.setenv("ALLOWED_HOSTS", "*")
    good.setattr(doctor.here, "env", Env())
    [finding] = doctor.here._production()
    assert (finding.state, finding.mend) == ("missing", "Name the hosts you serve.")
    assert "desk.E002" in finding.detail
