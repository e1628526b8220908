"""Servers that lie, hang, flood and die: every call ends in time with a sentence, and the next server is not harmed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from mcp_types import CallToolResult
from pytest_django import Settings

from support_agent.runtime.mcp import sessions
from support_agent.runtime.mcp.schemas import digest
from support_agent.runtime.mcp.sessions import Changed
from support_agent.runtime.mcp.spec import Spec, Trouble, command_of
from tests.fakes.mcp_server import STOCK, serving
from tests.mcp.conftest import spec, spec_http

PINNED = digest(STOCK)


def call(at: Spec, timeout_s: float = 1.5) -> CallToolResult:
    return sessions.call(at, "stock_level", {"sku": "A"}, pinned=PINNED, key="key-1", timeout_s=timeout_s)


def text(result: CallToolResult) -> str:
    (block,) = result.content
    return str(getattr(block, "text", ""))


@pytest.mark.parametrize(
    ("manner", "said", "sent"),
    [
        ("hangs_listing", "did not answer in time", False),
        ("hangs", "did not answer in time", True),
        ("floods", "more than 1,000,000 bytes", True),
        ("endless", "more than 1,000,000 bytes", True),
        ("no_json", "did not answer in time", True),
        ("wrong_ids", "did not answer in time", True),
        ("dies", "The program has ended", True),
        ("many", "more than 100 tools", False),
    ],
)
def test_a_program_that_misbehaves(manner: str, said: str, sent: bool, tmp_path: Path) -> None:
    """`sent` is what decides between trying again and asking a person."""
    started = time.monotonic()
    with pytest.raises(Trouble, match=said) as trouble:
        call(spec(manner, tmp_path), timeout_s=0.8)
    assert trouble.value.sent is sent
    assert time.monotonic() - started < 6


def test_one_that_never_answers_its_first_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "CONNECT_S", 0.6)
    with pytest.raises(Trouble, match="when it was connected") as trouble:
        call(spec("hangs_at_once", tmp_path))
    assert not trouble.value.sent
    started = time.monotonic()
    with pytest.raises(Trouble, match="left alone"):  # at once, and nothing is started
        call(spec("hangs_at_once", tmp_path))
    assert time.monotonic() - started < 0.2


def test_a_bad_server_takes_none_of_anothers_time(tmp_path: Path) -> None:
    good = Spec("good", "stdio", spec("honest", tmp_path).argv, "", (), tmp_path / "good")
    assert text(call(good)) == "7 pieces"
    with pytest.raises(Trouble):
        call(spec("floods", tmp_path))
    started = time.monotonic()
    assert text(call(good)) == "7 pieces"
    assert time.monotonic() - started < 0.5


def test_a_tool_that_was_changed_is_not_called(tmp_path: Path) -> None:
    at = spec("changes", tmp_path, str(tmp_path / "calls"))
    assert text(call(at)) == "7 pieces"
    sessions.list_tools(at)
    with pytest.raises(Changed) as changed:
        call(at)
    assert changed.value.definitions[0]["description"].startswith("IGNORE")
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_what_it_asks_of_us_is_refused(tmp_path: Path) -> None:
    """Sampling, roots and elicitation, each answered with an error."""
    assert json.loads(text(call(spec("asks", tmp_path)))) == [True, True, True]


def test_a_program_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "ours")
    at = spec("environment", tmp_path)
    told = json.loads(text(call(Spec(**{**vars(at), "secrets": (("STOCK_TOKEN", "theirs"),)}))))
    assert told == {"names": ["HOME", "LANG", "PATH", "STOCK_TOKEN"], "cwd": str(tmp_path / "shop")}


def test_a_program_that_will_not_go_is_ended_with_its_children(tmp_path: Path) -> None:
    assert text(call(spec("stays", tmp_path))) == "7 pieces"
    assert len(alive(tmp_path)) >= 3  # the keeper, the server and its child
    sessions.close_all()
    assert alive(tmp_path) == []


def alive(folder: Path) -> list[int]:
    """Processes whose working directory is the server's."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "cwd") == str(folder / "shop"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_an_idle_session_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "IDLE_S", 0.2)
    call(spec("honest", tmp_path))
    ends = time.monotonic() + 5
    while alive(tmp_path) and time.monotonic() < ends:
        time.sleep(0.05)
    assert alive(tmp_path) == []
    assert text(call(spec("honest", tmp_path))) == "7 pieces"  # and opened again


def test_no_more_sessions_than_eight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    for name in ("a", "b", "c"):
        call(Spec(name, "stdio", spec("honest", tmp_path).argv, "", (), tmp_path / "shop"))
    assert len(sessions._hub()._sessions) == 2


def test_a_server_over_http_is_asked_with_its_headers_and_our_key(tmp_path: Path) -> None:
    with serving("honest", str(tmp_path / "calls")) as (url, seen):
        assert text(call(spec_http(url, tmp_path, Authorization="Bearer x"))) == "7 pieces"
        sessions.close_all()
    assert {one.get("Authorization") for one in seen} == {"Bearer x"}
    (made,) = map(json.loads, (tmp_path / "calls").read_text().splitlines())
    assert made["meta"]["support-agent/idempotency-key"] == "key-1"


@pytest.mark.parametrize("manner", ["hangs", "floods", "no_json", "compresses"])
def test_an_address_that_misbehaves(manner: str, tmp_path: Path) -> None:
    """The request went out: nobody knows what became of it, whatever the answer looks like."""
    started = time.monotonic()
    with serving(manner) as (url, _), pytest.raises(Trouble) as trouble:
        call(spec_http(url, tmp_path), timeout_s=0.8)
    assert trouble.value.sent
    assert time.monotonic() - started < 4


def test_nothing_is_sent_where_it_redirects_to(tmp_path: Path) -> None:
    with serving("redirects") as (url, _), pytest.raises(Trouble):
        call(spec_http(url, tmp_path))


def test_an_address_of_the_own_network_needs_the_switch(tmp_path: Path, settings: Settings) -> None:
    settings.MCP_PRIVATE = False
    with serving("honest") as (url, seen), pytest.raises(Trouble, match="could not be connected") as trouble:
        call(spec_http(url, tmp_path))
    assert not trouble.value.sent
    assert seen == []


@pytest.mark.parametrize("command", ["python3", "../bin/sh", "/nowhere/at/all", "sh -c ls", ""])
def test_a_command_is_an_absolute_path_to_a_program(command: str) -> None:
    with pytest.raises(Trouble):
        command_of(command)


def test_a_list_of_commands_allows_those_alone(settings: Settings) -> None:
    settings.MCP_COMMANDS = ["env"]
    assert command_of("env").endswith("/env")
    with pytest.raises(Trouble, match="not in MCP_COMMANDS"):
        command_of("/bin/sh")
