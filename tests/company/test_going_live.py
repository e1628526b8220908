"""A company goes live with its own shop behind us: its orders by HTTP, its tools in Python and by MCP, its numbers.

Real processes: the example shop, its MCP server, a model on a port, and the product with all its own. No code of ours
is changed for it: BACKEND, AGENT_TOOLS, an MCP server entered by an admin, the order numbers in the workspace.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from tests.backends.bikeshop import TOKEN, running_bikeshop
from tests.stack import ROOT, Stack, free_port, running_stack

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("stack")]
Json = dict[str, Any]
IDENTITY = "only-for-tests-identity-0123456789-0123456789"
# What an admin does in the pages: the server entered, its tools listed, one allowed; the workspace's order numbers.
SET_UP = """
from support_agent.admin.mcp_forms import ToolForm
from support_agent.models import McpServer, McpTool
from support_agent.runtime.mcp.listing import server_list
from tickets.models import User, Workspace
admin = User.objects.get(username="admin")
server = McpServer.objects.create(name="stores", transport="http", url={url!r})
assert server_list(server=server, staff=admin) == ""
tool = McpTool.objects.get(name="mcp_stores_find_store")
given = {{"decision": "allow", "description": "Find our own stores by city. Use when they want to visit.",
         "label": "Looking for a store", "category": "lookup", "unverified": "on", "timeout_s": 8,
         "max_result_chars": 6000, "per_conversation": 10, "per_day": 1000, "source_city": "model"}}
form = ToolForm.of(tool)(given, instance=tool)
assert form.is_valid(), form.errors
form.save()
from uuid import uuid4
Workspace.objects.update_or_create(id=1, defaults=dict(
    version=uuid4(), name="Fjell Cycles", order_number_format="FC-####-#####", currency="EUR"))
"""


class Shop:
    """The company's own view of its books, by its own API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def order(self, number: str) -> Json:
        return self.get(f"/customers/c_1001/orders/{number}")

    def get(self, path: str) -> Json:
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: Json = json.load(answer)
        return found


class Talk:
    """A customer's conversation over the HTTP API, signed in by the company's own site."""

    def __init__(self, url: str, sub: str, email: str, name: str) -> None:
        self.url, self.token = url, ""
        claims = {"sub": sub, "email": email, "name": name, "exp": datetime.now(UTC) + timedelta(minutes=5)}
        made = self.call("/conversations", {"identity": jwt.encode(claims, IDENTITY, "HS256")})
        self.id, self.token = made["id"], made["token"]

    def call(self, path: str, body: Json | None = None) -> Json:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found: Json = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()[:500]}") from None
        return found

    def ask(self, text: str) -> str:
        """The assistant's whole answer to a message."""
        posted = self.call(f"/conversations/{self.id}/messages", {"client_message_id": str(uuid4()), "text": text})
        path = f"/turns/{posted['turn']['id']}"
        until(lambda: self.call(path)["state"] not in ("queued", "running"))
        turn = self.call(path)
        assert turn["state"] == "answered", turn
        return str(turn["message"]["text"])

    def action(self) -> Json:
        """The newest action as its last event tells it."""
        events = self.call(f"/conversations/{self.id}/events")["events"]
        return [event["action"] for event in events if event["type"] == "action"][-1]  # type: ignore[no-any-return]

    def confirm(self) -> Json:
        """Press the button, and wait until the company's system has answered."""
        offered = self.action()
        assert offered["state"] == "proposed"
        path = f"/conversations/{self.id}/actions/{offered['id']}"
        self.call(path, {"token": offered["token"], "approve": True})
        until(lambda: self.action()["state"] not in ("proposed", "confirmed"))
        return self.action()


def until(is_so: Callable[[], Any], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


@contextmanager
def process(*arguments: str, port: int) -> Iterator[str]:
    """A program of Python on a port of this machine; its address."""
    running = subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Shop]]:
    ports = [free_port(), free_port()]
    with ExitStack() as running:
        shop = running.enter_context(running_bikeshop(tmp_path_factory.mktemp("shop") / "books.sqlite3"))
        http = ("--http", str(ports[0]))
        stores = running.enter_context(process("examples.bikeshop.mcp_server", *http, port=ports[0]))
        scenes = ("--port", str(ports[1]), "--responder", "tests.company.assistant:answer")
        model = running.enter_context(process("tests.fakes.server", *scenes, port=ports[1]))
        stack = running.enter_context(
            running_stack(
                "company",
                BACKEND="examples.bikeshop.backend.BikeshopBackend",
                BACKEND_URL=shop.url,
                BACKEND_TOKEN=TOKEN,
                AGENT_TOOLS="examples.bikeshop.tools",
                MCP_PRIVATE="true",
                IDENTITY_SECRET=IDENTITY,
                ANTHROPIC_BASE_URL=model,
                ANTHROPIC_API_KEY="test-key",
                DEMO="true",
                DEBUG="true",
            )
        )
        stack.manage("shell", "-c", SET_UP.format(url=f"{stores}/mcp"))
        time.sleep(2.5)  # every process reads the workspace and the tools again within two seconds
        yield stack, Shop(shop.url)


@pytest.fixture
def astrid(company: tuple[Stack, Shop]) -> Talk:
    return Talk(company[0].url, "c_1001", "astrid.lind@example.com", "Astrid Lind")


def test_a_customer_of_the_company_is_served_end_to_end(company: tuple[Stack, Shop], astrid: Talk) -> None:
    stack, shop = company
    assert "FC-2026-01238" in astrid.ask("where is my order fc 2026 01238?")
    assert "Bergen" in astrid.ask("Which store in Bergen can I go to?")
    assert "free time" in astrid.ask("When is a fitting in Oslo free?")

    astrid.ask("I want to cancel FC-2026-01241")
    assert shop.order("FC-2026-01241")["status"] == "paid"  # offered, not done
    done = astrid.confirm()
    assert (done["state"], shop.order("FC-2026-01241")["status"]) == ("done", "cancelled")
    assert "EUR" in json.dumps(done["receipt"])

    trace = json.loads(stack.manage("export_conversation", astrid.id, "--json"))
    used = {call["tool"]: call["status"] for call in trace["tool_calls"]}
    assert used == dict.fromkeys(
        ("track_shipment", "mcp_stores_find_store", "find_fitting_times", "cancel_order"), "success"
    )


def test_the_company_s_own_action_is_booked_once_by_the_customer_s_click(
    company: tuple[Stack, Shop], astrid: Talk
) -> None:
    _, shop = company
    free = shop.get("/fittings?store=oslo")["fittings"]
    astrid.ask(f"book the first one: {free[0]['time']}")
    assert shop.get("/fittings?store=oslo")["fittings"] == free
    assert astrid.confirm()["state"] == "done"
    assert free[0] not in shop.get("/fittings?store=oslo")["fittings"]


def test_another_customer_s_order_is_not_there(astrid: Talk) -> None:
    assert "could not find" in astrid.ask("What about the order of somebody else, my neighbour?")
