"""The assistant's records in Django's admin: traces and spend are history, API keys are made and revoked here."""

from support_agent.admin import (
    alerts,
    blast,
    careful,
    evals,
    gaps,
    limits,
    mcp,
    policy,
    replays,
    rollups,
    sign_in,
    spot_checks,
    tasks,
    turns,
)
