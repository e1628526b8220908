"""The webhook: what it says, that the documented snippets accept it, and where it will not go."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from pytest_django import Settings

from support_agent.models import AlertDelivery
from support_agent.runtime import alert_signing
from support_agent.runtime.alert_signing import post_signed
from tests.cast import Cast
from tests.ops.made import call, talk, turn
from tests.runtime.alerting import bring, only, receiving, tell
from tests.stack import ROOT
from tickets import outgoing
from tickets.outgoing import Refused, allowed_address

DOCS = (ROOT / "docs" / "alerts.md").read_text()
SECRET = "a-secret-of-the-route"


@pytest.fixture
def private(settings: Settings) -> None:
    settings.ALERT_WEBHOOK_PRIVATE = True


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    assert found is not None
    return found[1]


def documented() -> Callable[[bytes, str, str], bool]:
    names: dict[str, Any] = {}
    exec(snippet("python"), names)
    return names["is_ours"]  # type: ignore[no-any-return]


@pytest.mark.django_db
def test_a_message_names_what_is_behind_it_and_the_documented_snippet_accepts_it(cast: Cast, private: None) -> None:
    one = turn(talk(cast.owner), cost_usd="0.5", prompt_version="assistant-7", input_tokens=10, cache_read_tokens=90)
    call(one, "lookup_order", status="error")
    call(one, "search_knowledge_base")
    with receiving() as receiver:
        only("webhook", receiver.url, secret=SECRET)
        told = tell(key="a", text="3 customers wait, olivia.owner@example.com too.", customer=str(cast.owner.pk))
        bring()
        [(headers, body)] = receiver.received
    is_ours = documented()
    assert is_ours(body, headers["X-Signature"], SECRET)
    assert not is_ours(body + b" ", headers["X-Signature"], SECRET)
    assert not is_ours(body, headers["X-Signature"], "another")
    said = json.loads(body)
    assert said["type"] == "alert.raised"
    assert said["id"] == headers["X-Delivery-Id"] == str(AlertDelivery.objects.get().message_id)
    [alert] = said["alerts"]
    assert alert["causes"]["customers"] == [
        {"id": str(cast.owner.pk), "shown": "o•••@example.com", "turns": 1, "cost_usd": "0.5000", "share": 1.0}
    ]
    assert alert["causes"]["tools"][0] == {"tool": "lookup_order", "calls": 1, "failed": 1}
    assert alert["causes"]["prompts"] == [{"version": "assistant-7", "turns": 1}]
    assert alert["causes"]["cache_share"] == 0.9
    assert alert["url"].endswith(f"/admin/ops/alerts/{told.pk}/")
    assert alert["runbook"] == "docs/runbook.md#alert-sla"
    assert b"olivia" not in body
    assert set(json.loads(snippet("json").replace("…", ""))["alerts"][0]) == set(alert)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_documented_snippet_for_node_accepts_it() -> None:
    body, now = '{"text":"é"}', int(timezone.now().timestamp())
    header = alert_signing.signature(body.encode(), SECRET, now)
    ask = f"const b = Buffer.from({json.dumps(body)}); "
    ask += f"console.log(isOurs(b, {json.dumps(header)}, 's' + 'x'), isOurs(b, {json.dumps(header)}, {SECRET!r}))"
    done = subprocess.run(["node", "-e", snippet("js") + ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["false", "true"]


@pytest.mark.django_db
def test_an_old_signature_is_not_accepted() -> None:
    old = int(timezone.now().timestamp()) - 600
    assert not documented()(b"{}", alert_signing.signature(b"{}", SECRET, old), SECRET)


def test_a_redirect_is_an_answer_and_not_followed(private: None) -> None:
    with receiving(302, location="http://127.0.0.1:9/") as receiver:
        assert post(receiver.url) == 302
        assert len(receiver.received) == 1


def post(url: str) -> int:
    return post_signed(url, b"{}", secret=SECRET, delivery_id="1", now=timezone.now())


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "https://x.example/"),
        ("10.1.2.3", "https://x.example/"),
        ("169.254.169.254", "https://x.example/latest/"),
        ("192.168.1.1", "http://x.example/"),
        ("::1", "https://x.example/"),
        ("::ffff:10.0.0.1", "https://x.example/"),
        ("64:ff9b::7f00:1", "https://x.example/"),  # 127.0.0.1 through NAT64
        ("64:ff9b::a9fe:a9fe", "https://x.example/"),  # 169.254.169.254, where clouds keep their keys
        ("64:ff9b:1::808:808", "https://x.example/"),
        ("2002:a00:1::1", "https://x.example/"),  # 10.0.0.1 through 6to4
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", "https://x.example/"),  # 10.0.0.1 behind Teredo
        ("::7f00:1", "https://x.example/"),
        ("fec0::1", "https://x.example/"),
        ("fd00::1", "https://x.example/"),
        ("0.0.0.0", "https://x.example/"),
        ("100.64.0.1", "https://x.example/"),
        ("8.8.8.8", "http://x.example/"),  # public, but plain
        ("8.8.8.8", "ftp://x.example/"),
    ],
)
def test_the_own_network_and_plain_http_are_refused(address: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (address, 443))])
    with pytest.raises(Refused):
        allowed_address(urlsplit(url))


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Refused):
        allowed_address(urlsplit("https://x.example/"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:1])
    assert allowed_address(urlsplit("https://x.example/")) == "8.8.8.8"


def test_a_setting_allows_the_own_network_and_plain_http_there_alone(
    private: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert allowed_address(urlsplit("http://127.0.0.1:8080/x")) == "127.0.0.1"
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("8.8.8.8", 80))])
    with pytest.raises(Refused):
        allowed_address(urlsplit("http://x.example/"))


def test_a_receiver_that_drips_is_cut_off(private: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT_S", 0.3)
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        client, _ = server.accept()
        with client:
            client.send(b"HTTP/1.1 200 OK\r\nX: ")
            while not over.wait(0.1):
                try:
                    client.send(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(TimeoutError):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/")
    finally:
        over.set()
        thread.join()
        server.close()


def test_a_receiver_that_speaks_no_http_or_is_not_there_is_an_error(private: None) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]

    def babble() -> None:
        client, _ = server.accept()
        with client:
            client.recv(10)
            client.send(b"hello\r\n\r\n")

    thread = threading.Thread(target=babble)
    thread.start()
    with pytest.raises(OSError, match=r"no answer that is HTTP|reset"):
        post(f"http://127.0.0.1:{port}/")
    thread.join()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        post(f"http://127.0.0.1:{port}/")
