"""What would be unsafe for real customers though each value is well-formed: `check --deploy` and `doctor` tell it.

What is never right stops the start already (`Env.refuse_unsafe`); here stands what somebody may mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.checks import CheckMessage, Error, Warning

from support_agent.env import LOOPBACK, Env, env

UNSENT = ("", "console", "memory")
MOST_RATE = 10


@dataclass(frozen=True, slots=True)
class Risk:
    """`id` is for SILENCED_SYSTEM_CHECKS; a grave one is an error of `check --deploy`."""

    id: str
    text: str
    mend: str
    grave: bool = False


def deploy_check(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """The risks as Django's messages; registered for `check --deploy` alone."""
    return [(Error if risk.grave else Warning)(risk.text, hint=risk.mend, id=risk.id) for risk in risks(env)]


def risks(env: Env) -> Iterator[Risk]:
    """Every risk of an environment that is to serve strangers."""
    yield from _doors(env)
    yield from _wires(env)
    yield from _servers(env)
    yield from _mails(env)
    yield from _staff(env)


def _doors(env: Env) -> Iterator[Risk]:
    if env.demo:
        yield Risk("desk.E001", "DEMO is on, and its passwords are public.", "Set DEMO=false.", grave=True)
    if "*" in env.allowed_hosts:
        yield Risk("desk.E002", "ALLOWED_HOSTS=* believes any Host header.", "Name the hosts you serve.", grave=True)
    elif any(host.startswith(".") for host in env.allowed_hosts):
        yield Risk("desk.W003", "ALLOWED_HOSTS trusts every subdomain.", "Name the hosts you serve.")
    plain = [origin for origin in env.allowed_origins if not _safe(origin)]
    if plain:
        yield Risk(
            "desk.W004", f"ALLOWED_ORIGINS has pages without TLS: {', '.join(plain)}.", "Write them with https://."
        )
    plain = [origin for origin in env.widget_origins if not _safe(origin)]
    if plain:
        yield Risk(
            "desk.W008", f"WIDGET_ORIGINS has sites without TLS: {', '.join(plain)}.", "Write them with https://."
        )
    if not env.allowed_origins:
        yield Risk("desk.W005", "Links in e-mails have no public address.", "Set ALLOWED_ORIGINS=https://your.host.")
    if not env.trust_proxy:
        yield Risk(
            "desk.W006",
            "No proxy is trusted, so that every request looks like plain http from one address.",
            "Put a proxy with TLS in front and set TRUST_PROXY=true.",
        )
    if env.rate_limit_scale > MOST_RATE:
        yield Risk("desk.W007", f"RATE_LIMIT_SCALE={env.rate_limit_scale:g} hardly limits anybody.", "Set it to 1.")


def _wires(env: Env) -> Iterator[Risk]:
    if not _safe(env.anthropic_base_url):
        yield Risk("desk.W011", "ANTHROPIC_BASE_URL sends the key and every message without TLS.", "Use https://.")
    if not _safe(env.otel_exporter_otlp_endpoint):
        yield Risk("desk.W012", "OTEL_EXPORTER_OTLP_ENDPOINT sends spans without TLS.", "Use https://.")


def _servers(env: Env) -> Iterator[Risk]:
    for id, name, url in (("desk.W020", "DATABASE_URL", env.database_url), ("desk.W021", "REDIS_URL", env.redis_url)):
        parts = urlsplit(url)
        host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
        if not url:
            yield Risk(id, f"{name} is empty: an embedded server, made for development.", f"Set {name}.")
        elif host and not host.startswith("/") and host not in LOOPBACK and not parts.password:
            yield Risk(id, f"{name} names a server on another host without a password.", "Give it one.")


def _mails(env: Env) -> Iterator[Risk]:
    scheme = env.email_url.get_secret_value().partition(":")[0]
    if scheme in UNSENT:
        yield Risk("desk.W030", "Mails reach nobody: EMAIL_URL is not set to a server.", "Set EMAIL_URL=smtp://….")


def _staff(env: Env) -> Iterator[Risk]:
    if env.staff_mfa == "optional":
        yield Risk("desk.W040", "A password alone opens the desk to staff.", "Set STAFF_MFA=required.")
    if env.oidc_issuer and not env.oidc_allowed_domains and env.oidc_roles:
        yield Risk(
            "desk.W041",
            "Anybody the identity provider knows may become staff by a role claim.",
            "Set OIDC_ALLOWED_DOMAINS to your company's.",
        )


def _safe(url: str) -> bool:
    """Encrypted, on this machine, or not set."""
    parts = urlsplit(url)
    return not url or parts.scheme == "https" or (parts.hostname or "") in LOOPBACK
