"""Settings for tests and type checks: of the environment, only TEST_DATABASE_URL and TEST_REDIS_URL count."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
os.environ.update(
    {
        "SECRET_KEY": "only-for-tests-0123456789-0123456789-0123456789",
        "IDENTITY_SECRET": "only-for-tests-identity-0123456789-0123456789",
        "DEBUG": "true",
        "DEMO": "true",
        "DATA_DIR": str(Path(__file__).resolve().parent.parent / ".data" / "test"),
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""),
        "DATABASE_DIRECT_URL": "",
        "REDIS_URL": os.environ.get("TEST_REDIS_URL", ""),
        "HOST": "127.0.0.1",
        "PORT": "8000",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "ALLOWED_ORIGINS": "",
        "WIDGET_ORIGINS": "",
        "TRUST_PROXY": "false",
        "ANTHROPIC_API_KEY": "",
        "ANTHROPIC_BASE_URL": "",
        "AGENT_MODEL_SMALL": "",
        "AGENT_MODEL_MEDIUM": "",
        "AGENT_MODEL_LARGE": "",
        "EMAIL_URL": "memory:",
        "EMAIL_REPLY_TO": "answers@alderandpine.example",
        "RATE_LIMIT_SCALE": "1000",
        "METRICS_TOKEN": "",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
        "OTEL_EXPORTER_OTLP_HEADERS": "",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "",
        "ALERT_WEBHOOK_PRIVATE": "",
        "LOG_LEVEL": "WARNING",
        "STAFF_MFA": "",
        **dict.fromkeys(("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ONLY", "OIDC_TRUST_MFA"), ""),
        **dict.fromkeys(("OIDC_NAME", "OIDC_ROLE_CLAIM", "OIDC_ROLES", "OIDC_ALLOWED_DOMAINS"), ""),
    }
)

from support_agent.settings import *  # noqa: E402, F403
from support_agent.settings import CACHES, CHANNEL_LAYERS, RQ_QUEUES  # noqa: E402
from support_agent.settings import REDIS_URL as _redis_url  # noqa: E402


def redis_of_worker(url: str) -> str:
    """Each worker of a parallel run has a database of its own, counted from the one the URL names."""
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) + int(WORKER.removeprefix("gw"))
    return urlunsplit(parts._replace(path=f"/{number % 16}"))


REDIS_URL = redis_of_worker(_redis_url)
CACHES["default"]["LOCATION"] = REDIS_URL
for _queue in RQ_QUEUES.values():
    _queue["URL"] = REDIS_URL
# Publishing crosses Redis databases, so channels are kept apart by name.
CHANNEL_LAYERS["default"]["CONFIG"] = {"hosts": [REDIS_URL], "prefix": f"test-{WORKER}-{os.getpid()}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEBUG = False
