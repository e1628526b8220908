"""The contract over HTTP, against the example shop as a real process."""

from __future__ import annotations

from tests.backends.remote_contract import RemoteContract


class TestHttpBackend(RemoteContract):
    """Every promise of the port."""
