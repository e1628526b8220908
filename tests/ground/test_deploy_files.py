"""Dockerfile, compose.yaml, Caddyfiles and units: what they name is there, and fits together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

from support_agent.env import Env
from tests.stack import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"web", "runner", "worker", "scheduler", "migrate", "backup"}
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
TEXTS = {path.name: path.read_text() for path in (ROOT / "deploy").rglob("*") if path.is_file()}
TEXTS |= {
    "Caddyfile of compose": (ROOT / "deploy" / "Caddyfile").read_text(),
    "Caddyfile of systemd": (ROOT / "deploy" / "systemd" / "Caddyfile").read_text(),
}
GUIDE = (ROOT / "docs" / "production.md").read_text()
VARIABLES = {name.upper() for name in Env.model_fields}


def names_of(path: Path) -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", path.read_text(), re.M))


def starts(command: list[str]) -> bool:
    """Whether a command line is one of ours that exists."""
    if command[1:2] == ["-m"]:
        return (ROOT / f"{command[2].replace('.', '/')}.py").is_file()
    return command[1] == "manage.py" and command[2] in get_commands()


def test_compose_variables_are_ours_or_asked_of_the_reader() -> None:
    asked = names_of(ROOT / "deploy" / "compose.env")
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", (ROOT / "compose.yaml").read_text())) - {"IMAGE"}
    assert used <= asked
    assert set(SERVICES["web"]["environment"]) <= VARIABLES
    assert asked - VARIABLES == {"DOMAIN", "TLS", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert not asked & set(SERVICES["web"]["environment"])  # what compose.yaml sets, nobody fills in for nothing
    proxy = set(re.findall(r"\{\$(\w+)\}", TEXTS["site.caddy"]))
    assert proxy == set(SERVICES["proxy"]["environment"])


def test_compose_services_need_what_is_there_and_are_healthy_by_what_is_checked() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                # the image checks web; the others of ours have no check of their own
                assert SERVICES[other].get("healthcheck", {}).get("test") or other == "web", (name, other)
            else:
                assert how["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"] == "no"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_file(), volume
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert service["logging"]["options"]["max-size"]
        assert "container_name" not in service


def test_compose_runs_ours_alike_and_shows_the_proxy_alone() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "uploads:/data" in service["volumes"]
        assert service["environment"]["DATA_DIR"] == "/data"
        assert starts(service["command"]), service["command"]
    assert SERVICES["runner"]["stop_grace_period"] == "40s"  # it gives turns 20
    for name in ("postgres", "redis", "proxy"):
        assert re.fullmatch(r"[\w/]+:[\w.-]+", SERVICES[name]["image"])


@pytest.mark.parametrize("name", ["web", "runner", "worker"])
def test_compose_runs_any_number_of_these(name: str) -> None:
    """`--scale` refuses what only one container can have: a name, an address or a port of the host."""
    service = SERVICES[name]
    assert not {"container_name", "hostname", "ports", "network_mode", "mac_address"} & set(service)
    assert isinstance(service["networks"], list)  # a mapping could give it a fixed address
    assert f"--scale {name}=" in GUIDE or name == "worker"


def test_the_proxy_finds_every_web_container_and_every_unit() -> None:
    found = re.search(r"dynamic a \{\s+name (\w+)\s+port (\d+)\s+refresh (\d+)s", TEXTS["Caddyfile of compose"])
    assert found
    assert SERVICES[found[1]]["command"][-1] == "support_agent.launch.web"
    assert found[2] == SERVICES["web"]["environment"]["PORT"]
    assert int(found[3]) <= 5  # a new container is soon known, and one that is gone soon forgotten
    assert SERVICES["web"]["environment"]["HOST"] == "0.0.0.0"
    assert set(SERVICES["web"]["networks"]) & set(SERVICES["proxy"]["networks"])
    units = re.search(r"to ((?:127\.0\.0\.1:\d+ ?)+)", TEXTS["Caddyfile of systemd"])
    assert units
    for port in re.findall(r":(\d+)", units[1]):
        assert f"support-agent-web@{port}" in GUIDE
    assert "PORT=%i\n" in (ROOT / "deploy" / "systemd" / "support-agent-web@.service").read_text()


def test_the_image_holds_what_runs_and_nothing_secret() -> None:
    lines = (ROOT / "Dockerfile").read_text()
    assert lines.index("USER 10001") < lines.index("CMD [")
    assert starts(re.findall(r'"([^"]+)"', lines.rpartition("\nCMD ")[2]))
    assert resolve("/healthz").url_name == "healthz"
    assert "/healthz" in lines
    assert set(re.findall(r"^ENV .*|^    ([A-Z_]+)=", lines, re.M)) - {""} <= VARIABLES | {
        "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE",
    }  # fmt: skip
    first, *rest = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("#", "")]
    assert first == "*"
    let_in = {line[1:] for line in rest if line.startswith("!")}
    assert {"manage.py", "requirements.txt", "support_agent", "tickets", "templates", "static", "locale"} <= let_in
    assert not let_in & {".env", ".git", ".data", "tests", "requirements-dev.txt", "requirements-embedded.txt"}
    assert all((ROOT / name).exists() for name in let_in)


def test_the_image_dumps_a_database_as_new_as_the_one_of_compose() -> None:
    client = re.search(r"postgresql-client-(\d+)", (ROOT / "Dockerfile").read_text())
    server = re.match(r"postgres:(\d+)", SERVICES["postgres"]["image"])
    assert client
    assert server
    assert client[1] == server[1]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_start_what_there_is_as_a_user_without_rights(path: Path) -> None:
    text = path.read_text()
    for command in re.findall(r"^ExecStart(?:Pre)?=(.*)$", text, re.M):
        assert starts(command.split()), command
    given = {pair.split("=")[0] for line in re.findall(r"^Environment=(.*)$", text, re.M) for pair in line.split()}
    assert given <= VARIABLES | {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    for line in ("User=support-agent", "NoNewPrivileges=true", "ProtectSystem=strict", "CapabilityBoundingSet="):
        assert f"\n{line}\n" in text


def test_the_settings_for_systemd_are_settings_of_ours() -> None:
    assert names_of(ROOT / "deploy" / "systemd" / "env") <= VARIABLES


def test_the_proxy_keeps_inside_what_is_for_machines() -> None:
    inside = re.search(r"@inside path (.*)\n\s+respond @inside 404", TEXTS["site.caddy"])
    assert inside
    assert set(inside[1].split()) == {"/metrics", "/readyz"}
    for path in inside[1].split():
        assert resolve(path).url_name == path[1:]
    assert "-X-Forwarded-Port" in TEXTS["site.caddy"]
    assert "encode" not in TEXTS["site.caddy"]


def test_the_guide_names_units_and_files_that_are_there() -> None:
    for unit in set(re.findall(r"(support-agent-(?:web|runner|worker|scheduler|backup)(?:@|\.timer)?)", GUIDE)):
        known = {path.name for path in (ROOT / "deploy" / "systemd").iterdir()}
        assert {f"{unit}.service", unit} & known, unit
    for name in set(re.findall(r"\b(deploy/[\w./-]+)", GUIDE)) - {"deploy/systemd/"}:
        assert (ROOT / name).exists() or list(ROOT.glob(f"{name}*")), name
    for command in set(re.findall(r"manage\.py ([a-z]+[a-z_]*)(?= |`|\n)", GUIDE)):
        assert command in get_commands(), command
