"""The proxy that the fault suite trusts: each of its faults is seen by an ordinary client."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.proxy import Proxy
from tests.stack import free_port


@pytest.fixture
def line() -> Iterator[Proxy]:
    """A proxy before a server that says everything back."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo(connection: socket.socket) -> None:
            with connection:
                try:
                    while piece := connection.recv(65536):
                        connection.sendall(piece)
                except OSError:
                    return

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=echo, args=[connection], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        with Proxy(server.getsockname()) as proxy:
            yield proxy


def connect(line: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=30)


def exchange(client: socket.socket, words: bytes) -> bytes:
    client.sendall(words)
    heard = b""
    while len(heard) < len(words) and (piece := client.recv(65536)):
        heard += piece
    return heard


def is_reset(client: socket.socket) -> bool:
    """Whether the connection breaks, rather than ends."""
    try:
        while exchange(client, b"x"):
            continue
    except ConnectionError:
        return True
    return False


def test_it_passes_everything_on(line: Proxy) -> None:
    words = bytes(range(256)) * 4096
    with connect(line) as client:
        client.settimeout(30)
        threading.Thread(target=client.sendall, args=[words], daemon=True).start()
        heard = b""
        while len(heard) < len(words):
            heard += client.recv(65536)
        assert heard == words
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def test_latency_and_a_slow_line_take_their_time(line: Proxy) -> None:
    with connect(line) as client:
        line.latency_s = 0.1
        started = time.monotonic()
        assert exchange(client, b"hello") == b"hello"
        assert time.monotonic() - started >= 0.2  # there and back
        line.latency_s, line.bytes_per_s = 0.0, 1000
        started = time.monotonic()
        assert exchange(client, b"x" * 200) == b"x" * 200
        assert time.monotonic() - started >= 0.2


def test_a_dead_line_holds_back_and_lives_again(line: Proxy) -> None:
    with connect(line) as client:
        assert exchange(client, b"one") == b"one"
        line.dead = True
        client.sendall(b"two")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(10)
        line.heal()
        client.settimeout(30)
        assert client.recv(10) == b"two"


@pytest.mark.parametrize("end", [Proxy.reset, lambda line: setattr(line, "cut_after", 0)], ids=["reset", "cut"])
def test_a_broken_line_is_a_reset(line: Proxy, end: Callable[[Proxy], object]) -> None:
    with connect(line) as client:
        assert exchange(client, b"one") == b"one"
        end(line)
        assert is_reset(client)


def test_a_cut_lets_the_first_bytes_pass_and_only_once(line: Proxy) -> None:
    line.cut_after = 3
    with connect(line) as client:
        client.sendall(b"hello")
        assert client.recv(10) in (b"h", b"he", b"hel")
        assert is_reset(client)
    with connect(line) as client:
        assert exchange(client, b"hello") == b"hello"


def test_a_refusing_line_lets_nobody_in(line: Proxy) -> None:
    line.refusing = True
    try:
        with connect(line) as client:
            assert is_reset(client)
    except ConnectionError:  # it came before we were through the door
        return


def test_several_targets_take_turns_and_one_that_is_down_is_passed_over(line: Proxy) -> None:
    there, nobody = ("127.0.0.1", line.port), ("127.0.0.1", free_port())
    with Proxy(nobody, there) as both:
        for _ in range(3):
            with connect(both) as client:
                assert exchange(client, b"hello") == b"hello"
        assert both.led == {there: 3}
