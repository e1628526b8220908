"""docs/backends.md shows each call with its body and its answer: as the example shop answers it, and as we read it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2

from tests.backends.bikeshop import TOKEN, Bikeshop
from tests.stack import ROOT
from tickets.backends import port

PAGE = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```http\n(.*?)\n```", PAGE, re.DOTALL)
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?")
MINE = {"member_since"}  # the only day that is the same on every day


def _timeless(value: Any, name: str = "") -> Any:
    """Without the moments, which count back from when the shop was filled."""
    if isinstance(value, dict):
        return {key: _timeless(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return "…" if isinstance(value, str) and name not in MINE and MOMENT.fullmatch(value) else value


def _ask(url: str, request: str) -> httpx2.Response:
    head, _, body = request.partition("\n\n")
    first, *lines = head.split("\n")
    method, path = first.split(" ")
    headers = {"Authorization": f"Bearer {TOKEN}", **dict(line.split(": ") for line in lines)}
    return httpx2.request(method, f"{url}{path}", headers=headers, content=body or None)


def test_every_call_is_answered_as_the_page_says(process: Bikeshop) -> None:
    process.anew()
    asked, told = BLOCKS[::2], BLOCKS[1::2]
    assert len(asked) == len(told) > 15
    for request, answer in zip(asked, told, strict=True):
        head, _, body = answer.partition("\n\n")
        got = _ask(process.url, request)
        assert head == f"HTTP/1.1 {got.status_code}", request
        assert _timeless(json.loads(body)) == _timeless(got.json()), request


def test_every_call_of_the_port_is_told_of() -> None:
    calls = {name for name, value in vars(port.Backend).items() if getattr(value, "__isabstractmethod__", False)}
    assert not {name for name in calls if f"`{name}`" not in PAGE}


def test_every_path_of_the_server_is_shown() -> None:
    from examples.bikeshop.server import WRITES

    shown = [request.partition("\n")[0].split(" ") for request in BLOCKS[::2]]
    for method, pattern, call in WRITES:
        known = any(method == asked and re.fullmatch(pattern, path) for asked, path in shown)
        assert known or call.endswith("fitting"), call  # fittings are the bike shop's own


def test_its_code_is_the_examples() -> None:
    code = re.search(r"```python\n(from tickets.backends.http.*?)```", PAGE, re.DOTALL)
    assert code is not None
    words = re.search(r"order_states = (.*)", code[1])
    assert words is not None
    assert words[1] in Path(ROOT / "examples" / "bikeshop" / "backend.py").read_text(encoding="utf-8")
