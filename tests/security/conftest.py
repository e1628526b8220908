"""Attackers use the customers' own doors: the sockets of the chat's tests."""

from __future__ import annotations

from tests.chat.conftest import lines, people

__all__ = ["lines", "people"]
