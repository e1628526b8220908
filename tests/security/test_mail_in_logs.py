"""Without a mail server, codes and addresses must not end in the logs instead."""

from __future__ import annotations

import os
import subprocess
import sys
from secrets import token_urlsafe

import pytest

SHOW = "from support_agent import settings; print(settings.EMAIL_BACKEND)"


@pytest.mark.parametrize(
    ("debug", "url", "backend"), [("false", "", "dummy"), ("true", "", "console"), ("false", "console:", "console")]
)
def test_only_debug_or_ones_own_wish_prints_mail(debug: str, url: str, backend: str) -> None:
    drawn = {name: token_urlsafe(48) for name in ("SECRET_KEY", "IDENTITY_SECRET")}  # production takes no others
    environment = {**os.environ, **drawn, "DEBUG": debug, "DEMO": "false", "EMAIL_URL": url}
    shown = subprocess.run([sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == f"django.core.mail.backends.{backend}.EmailBackend"
