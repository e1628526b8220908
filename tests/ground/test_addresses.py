"""Whom limits count: the address a trusted proxy saw, a whole IPv6 network as one, and who is inside."""

from __future__ import annotations

import pytest

from support_agent.addresses import address_of_scope, client_address, is_inside

CASES = [  # trust the proxy, peer, X-Forwarded-For -> counted as
    (False, "192.0.2.7", "203.0.113.5", "192.0.2.7"),
    (True, "10.0.0.1", "203.0.113.5", "203.0.113.5"),
    (True, "10.0.0.1", "198.51.100.1, 203.0.113.5", "203.0.113.5"),  # the client wrote the first
    (True, "10.0.0.1", "203.0.113.5:4711", "203.0.113.5"),
    (True, "10.0.0.1", "", "10.0.0.1"),
    (False, "2001:db8:1:2:aaaa::1", "", "2001:db8:1:2::"),
    (True, "10.0.0.1", "[2001:db8:1:2:bbbb::9]:443", "2001:db8:1:2::"),
    (False, "::ffff:192.0.2.7", "", "192.0.2.7"),
    (False, "::1", "", "::1"),
    (False, "", "", ""),
]


@pytest.mark.parametrize(("trust", "peer", "hops", "counted"), CASES)
def test_who_is_counted(trust: bool, peer: str, hops: str, counted: str, settings: object) -> None:
    settings.TRUST_PROXY = trust  # type: ignore[attr-defined]
    assert client_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": hops}) == counted
    headers = [(b"x-forwarded-for", hops.encode())] if hops else []
    assert address_of_scope({"client": (peer, 1), "headers": headers}) == counted


def test_who_is_inside(settings: object) -> None:
    assert is_inside({"REMOTE_ADDR": "127.0.0.1"})
    assert is_inside({"REMOTE_ADDR": "10.1.2.3"})
    assert is_inside({"REMOTE_ADDR": "fd00::1"})
    assert not is_inside({"REMOTE_ADDR": "8.8.8.8"})
    assert not is_inside({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "10.0.0.1"}), "a proxy we do not trust"
    assert not is_inside({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=10.0.0.1"})
    settings.TRUST_PROXY = True  # type: ignore[attr-defined]
    assert not is_inside({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "8.8.8.8"})
    assert is_inside({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "10.0.0.1"})
