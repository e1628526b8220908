"""The environment as one typed object: `from support_agent.env import env`.

A value that cannot be used stops the start with one sentence that names the variable. Nothing here imports Django.
Values come from the process's environment, then from a `.env` file beside manage.py, then from the defaults below.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from decimal import Decimal
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]"}
PLACEHOLDERS = ("change-me", "changeme", "change_me", "insecure", "development", "only-for-tests", "your-secret")


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Names = Annotated[list[str], NoDecode, BeforeValidator(_split)]


class EnvError(SystemExit):
    """The environment cannot be used; the text is one sentence for the person who set it."""


class Env(BaseSettings):
    """Every variable the product reads, upper case outside. Money is USD, lists are separated by commas."""

    model_config = SettingsConfigDict(
        env_file=BASE_DIR / ".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    secret_key: SecretStr = Field(SecretStr(""), description="a long random text")
    debug: bool = Field(False, description="true or false")
    demo: bool = Field(False, description="true or false")
    host: str = Field("127.0.0.1", description="the address to listen on, such as 127.0.0.1")
    port: int = Field(8000, ge=1, le=65535, description="a port number from 1 to 65535")
    data_dir: Path = Field(BASE_DIR / ".data", description="a folder")
    erasure_receipts: Path | None = Field(None, description="a file that can be written")
    database_url: str = Field("", description="postgresql://user:password@host:5432/name")
    database_direct_url: str = Field("", description="postgresql://user:password@host:5432/name")
    database_pool_size: int = Field(16, ge=2, le=500, description="a number of connections from 2 to 500")
    redis_url: str = Field("", description="redis://host:6379/0")
    allowed_hosts: Names = Field([], description="host names separated by commas")
    allowed_origins: Names = Field([], description="full origins such as https://shop.example, separated by commas")
    widget_origins: Names = Field([], description="full origins such as https://shop.example, separated by commas")
    trust_proxy: bool = Field(False, description="true or false")
    hsts_subdomains: bool = Field(False, description="true or false")
    anthropic_api_key: SecretStr = Field(SecretStr(""), description="an API key")
    anthropic_base_url: str = Field("", description="an http(s) address such as https://gateway.example")
    agent_model_small: str = Field("claude-haiku-5-5", description="a model's id")
    agent_model_medium: str = Field("claude-sonnet-5-5", description="a model's id")
    agent_model_large: str = Field("claude-opus-5-5", description="a model's id")
    evals_gate_usd: Decimal = Field(Decimal("5.00"), ge=0, le=100, description="an amount in USD from 0 to 100")
    evals_nightly_usd: Decimal = Field(Decimal(0), ge=0, le=100, description="an amount in USD from 0 to 100")
    identity_secret: SecretStr = Field(SecretStr(""), description="a random text of at least 32 characters")
    email_url: SecretStr = Field(SecretStr(""), description="smtp://user:password@host:587")
    email_from: str = Field("Alder & Pine <help@alderandpine.example>", description="a sender's address")
    email_reply_to: str = Field("", description="a mailbox that people read, such as help@shop.example")
    rate_limit_scale: float = Field(1.0, gt=0, allow_inf_nan=False, description="a number above 0")
    metrics_token: SecretStr = Field(SecretStr(""), description="a random text")
    backend: str = Field(
        "tickets.backends.postgres.PostgresBackend",
        pattern=r"^\w+(\.\w+)+$",
        description="a class's path such as shop.backend.ShopBackend",
    )
    backend_url: str = Field("", description="an http(s) address such as https://shop.example/api")
    backend_token: SecretStr = Field(SecretStr(""), description="a bearer token")
    agent_tools: Names = Field([], description="modules' paths such as shop.tools, separated by commas")
    staff_mfa: str = Field("required", pattern="^(required|optional)$", description="required or optional")
    oidc_issuer: str = Field("", description="an https address such as https://login.example")
    oidc_client_id: str = Field("", description="the id the identity provider gave us")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="the secret the identity provider gave us")
    oidc_name: str = Field("your company", max_length=40, description="a name of at most 40 characters")
    oidc_role_claim: str = Field("", description="a claim's name such as groups")
    oidc_roles: Names = Field([], description="pairs such as support=agent,it=admin, roles agent, lead, ops or admin")
    oidc_allowed_domains: Names = Field([], description="domains of e-mail addresses, separated by commas")
    oidc_only: bool = Field(False, description="true or false")
    oidc_trust_mfa: bool = Field(False, description="true or false")
    otel_exporter_otlp_endpoint: str = Field("", description="an http(s) address such as http://localhost:4318")
    otel_exporter_otlp_headers: SecretStr = Field(SecretStr(""), description="name=value pairs separated by commas")
    otel_service_name: str = Field("support-agent", description="a service's name")
    otel_instrumentation_genai_capture_message_content: bool = Field(False, description="true or false")
    mcp_commands: Names = Field([], description="programs such as /usr/local/bin/stock, separated by commas")
    mcp_private: bool = Field(False, description="true or false")
    alert_webhook_private: bool = Field(False, description="true or false")
    embedder: str = Field(
        "minilm", pattern=r"^(minilm|none|\w+(\.\w+)+)$", description="minilm, none or a class's path"
    )
    spot_checks_a_day: int = Field(20, ge=0, le=500, description="a number of answers from 0 to 500")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _database(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("postgresql", "postgres") or len(parts.path) < 2):
            raise ValueError
        _ = parts.port
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme in ("redis", "rediss") and parts.hostname):
            raise ValueError
        _ = parts.port
        return value

    @field_validator("anthropic_base_url", "backend_url", "otel_exporter_otlp_endpoint")
    @classmethod
    def _http(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme in ("http", "https") and parts.hostname):
            raise ValueError
        return value.rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        """As the provider writes it, a slash at its end included: tokens are compared with it."""
        parts = urlsplit(value)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if value and not (safe and parts.hostname):
            raise ValueError
        return value

    @field_validator("oidc_roles")
    @classmethod
    def _roles(cls, value: list[str]) -> list[str]:
        if not all(re.fullmatch(r".+=(agent|lead|ops|admin)", pair) for pair in value):
            raise ValueError
        return value

    @field_validator("email_url")
    @classmethod
    def _email(cls, value: SecretStr) -> SecretStr:
        from support_agent.email_url import parse_email_url

        parse_email_url(value.get_secret_value())
        return value

    @field_validator("email_reply_to")
    @classmethod
    def _mailbox(cls, value: str) -> str:
        name, _, domain = parseaddr(value)[1].partition("@")
        if value and not (name and "." in domain):
            raise ValueError
        return value

    @field_validator("allowed_origins", "widget_origins")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
                raise ValueError
            _ = parts.port
        return value

    @field_validator("identity_secret")
    @classmethod
    def _identity(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 32:
            raise ValueError
        return value

    @property
    def demo_model(self) -> bool:
        """Whether the built-in demo model answers, for want of a key."""
        return not self.anthropic_api_key.get_secret_value() and not self.anthropic_base_url

    @property
    def origin(self) -> str:
        """The address people open on this machine, without a trailing slash."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host.strip('[]') and not host.startswith('[') else host}:{self.port}"

    def refuse_unsafe(self) -> Self:
        """What no single value shows: raises EnvError when the values together would be unsafe."""
        key, identity = self.secret_key.get_secret_value(), self.identity_secret.get_secret_value()
        for name, value in (("SECRET_KEY", key), ("IDENTITY_SECRET", identity or key)):
            if not self.debug and not _random(value):
                raise EnvError(
                    f"{name} must be a random text of at least 32 characters when DEBUG is false: make one with "
                    "python -c 'import secrets; print(secrets.token_urlsafe(48))', or set DEBUG=true to try things out."
                )
        if not self.debug and identity == key:
            raise EnvError(
                "IDENTITY_SECRET must not be SECRET_KEY when DEBUG is false, because the sites that sign identities "
                "know it: make another."
            )
        if self.database_direct_url and not self.database_url:
            raise EnvError(
                "DATABASE_DIRECT_URL leads past the pooler of DATABASE_URL, which is empty: set DATABASE_URL too."
            )
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            lacking = "OIDC_CLIENT_ID" if self.oidc_issuer else "OIDC_ISSUER"
            raise EnvError(
                f"{lacking} is missing: sign-in by the company's provider needs OIDC_ISSUER and OIDC_CLIENT_ID."
            )
        if self.oidc_only and not self.oidc_issuer:
            raise EnvError(
                "OIDC_ONLY=true shuts everybody out without a provider: set OIDC_ISSUER, or OIDC_ONLY=false."
            )
        if self.demo and not self.debug and not {self.host, *self.allowed_hosts} <= LOOPBACK:
            raise EnvError(
                "DEMO=true is refused with DEBUG=false on a host that others can reach, because its passwords are "
                "public: set DEMO=false, or HOST and ALLOWED_HOSTS to 127.0.0.1 or localhost."
            )
        return self


def read_env() -> Env:
    """The settings of this process and its .env file; raises EnvError with one sentence."""
    try:
        env = Env()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        expected = Env.model_fields[name].description
        raise EnvError(f"{name.upper()} is {_shown(name, first['input'])}, but {expected} is expected.") from None
    if not env.data_dir.is_absolute():
        env = env.model_copy(update={"data_dir": BASE_DIR / env.data_dir})
    return _with_kept_secrets(env).refuse_unsafe()


def _with_kept_secrets(env: Env) -> Env:
    """Fill in secrets nobody set: from DATA_DIR, made there by anything that is not a production start."""
    kept = {}
    for name in ("secret_key", "identity_secret"):
        path = env.data_dir / name
        if not getattr(env, name).get_secret_value() and (env.debug or not env.database_url or path.is_file()):
            kept[name] = SecretStr(kept_secret(path))
    return env.model_copy(update=kept)


def kept_secret(path: Path) -> str:
    """A random text that is made once and kept in a file only its owner reads."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            fresh = path.with_name(f".{path.name}.{os.getpid()}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(48))
            try:
                os.link(fresh, path)  # whole or not at all: another process may be making the same one
            finally:
                fresh.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise EnvError(f"DATA_DIR is {path.parent}, but a folder that can be written is expected ({error}).") from None


def _random(value: str) -> bool:
    """Long, of many different characters, and no placeholder that somebody left in."""
    return len(value) >= 32 and len(set(value)) >= 10 and not any(word in value.lower() for word in PLACEHOLDERS)


def _shown(name: str, value: object) -> str:
    """A bad value for a message: never a secret, and no password of an address."""
    if Env.model_fields[name].annotation is SecretStr:
        return "set to something that cannot be used"
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    with suppress(ValueError):
        if password := urlsplit(text).password:
            text = text.replace(password, "…")
    return repr(text)


env = read_env()
