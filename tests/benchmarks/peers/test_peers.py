"""The peers do the turn that they are measured by; the frameworks only where their environments are there already."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.benchmarks.peers.environment import FOLDER, HERE, PeerMissing, python_of
from tests.benchmarks.peers.run import PEERS, equal_file, run
from tests.benchmarks.serving import model_serving

ENVIRONMENTS = sorted({peer.environment for peer in PEERS.values() if peer.environment})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with model_serving(small_ttft=0.05, rate=1000) as address:
        yield address


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return equal_file(tmp_path_factory.mktemp("equal"))


def test_the_calls_are_the_products_own(equal: Path) -> None:
    given = json.loads(equal.read_text("utf-8"))
    assert [tool["name"] for tool in given["tools"]][3] == "track_shipment"
    assert len(given["system"][0]["text"]) > 2000


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_does_the_turn(name: str, url: str, equal: Path) -> None:
    environment = PEERS[name].environment
    if environment and not (FOLDER / environment / "installed.txt").is_file():
        pytest.skip(f"{environment} is installed by the benchmark alone")
    httpx2.delete(f"{url}/calls")
    found = run(name, url, equal=equal, concurrency=2, turns=4, warm=2, timeout_s=50)
    assert found.turns == 4
    assert 0.1 < found.first_p50_s <= found.turn_p50_s < 10
    assert 0 < found.cpu_s < 10
    calls = httpx2.get(f"{url}/calls").json()["calls"]
    kinds = [call["kind"] for call in calls if call["end"]]
    assert set(kinds) == {"tool", "answer"}
    assert kinds.count("tool") >= kinds.count("answer") >= 6
    assert all(re.fullmatch(r"#[0-9a-f]{12}", call["key"]) for call in calls)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_pin_is_exact(name: str) -> None:
    lines = (HERE / f"requirements-{name}.txt").read_text("utf-8").splitlines()
    assert lines
    assert not [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)]


def test_a_peer_that_cannot_be_had_says_so_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("no-such-package-of-anybody==1\n")
    with pytest.raises(PeerMissing, match=r"\Aa-peer was left out: .*no-such-package-of-anybody.*\Z") as told:
        python_of("a-peer", requirements=wanted, folder=tmp_path)
    assert "\n" not in str(told.value)
    with contextlib.suppress(FileNotFoundError):
        assert not (tmp_path / "a-peer" / "installed.txt").read_bytes()
