"""The page for people says what the tables say."""

from __future__ import annotations

from tests.security.matrix.document import TARGET, page


def test_it_is_current() -> None:
    assert TARGET.read_text() == page(), "renew it: python -m tests.security.matrix.document"
