"""The environment as one typed object: `from support_agent.env import env`.

A value that cannot be used stops the start with one sentence that names the variable. Nothing here imports Django.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK = {"localhost", "127.0.0.1", "::1", "[::1]"}
PLACEHOLDER_KEYS = {"change-me", "changeme", "secret"}
SECRET_NAMES = {"secret_key", "anthropic_api_key", "identity_secret", "email_url", "database_url", "redis_url"}

Names = Annotated[list[str], NoDecode]


class EnvError(SystemExit):
    """The environment cannot be used; the text is one sentence for the person who set it."""


class Env(BaseSettings):
    """Every variable the product reads. Money is USD, sizes are bytes, URLs carry their credentials."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", case_sensitive=False, frozen=True)

    secret_key: SecretStr = SecretStr("")
    debug: bool = False
    demo: bool = False
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    data_dir: Path = BASE_DIR / ".data"
    database_url: str = ""
    redis_url: str = ""
    test_database_url: str = ""
    test_redis_url: str = ""
    database_pool_size: int = Field(16, ge=2, le=500)
    allowed_hosts: Names = []
    allowed_origins: Names = []
    anthropic_api_key: SecretStr = SecretStr("")
    anthropic_base_url: str = ""
    agent_model_small: str = "claude-haiku-5-5"
    agent_model_medium: str = "claude-sonnet-5-5"
    agent_model_large: str = "claude-opus-5-5"
    identity_secret: SecretStr = SecretStr("")
    email_url: str = ""
    default_from_email: str = "Alder & Pine <help@alderandpine.example>"
    rate_limit_scale: float = Field(1.0, gt=0)
    otel_exporter_otlp_endpoint: str = ""
    embedder: str = "minilm"
    log_level: str = "INFO"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)  # read_env hands in the environment itself: one place that knows where values come from

    @field_validator("allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def read_env(values: Mapping[str, str] | None = None) -> Env:
    """Build the settings from a mapping (the process environment by default); raises EnvError with one sentence."""
    source = os.environ if values is None else values
    known = {name: source[name.upper()] for name in Env.model_fields if source.get(name.upper(), "") != ""}
    return Env(**known)  # type: ignore[arg-type]


env = read_env()
