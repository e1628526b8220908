"""What these pages' tests share."""

from __future__ import annotations

import time

import pytest

from support_agent.runtime import catalogue


@pytest.fixture(autouse=True)
def tools_just_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries of pages are counted here: the look for new tools, one in two seconds, must not fall into one count."""
    monkeypatch.setattr(catalogue, "FRESH_S", 3600.0)
    monkeypatch.setattr(catalogue, "_looked_at", time.monotonic())
