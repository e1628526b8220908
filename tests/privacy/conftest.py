"""Receipts and files of these tests lie in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(settings: object, tmp_path: Path) -> Path:
    """Where this test's receipts and media are."""
    settings.ERASURE_RECEIPTS = tmp_path / "erasures.jsonl"  # type: ignore[attr-defined]
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
    return tmp_path
