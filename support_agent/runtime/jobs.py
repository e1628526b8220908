"""The agent's jobs for the worker: thin, and safe to run twice."""

from __future__ import annotations

import structlog

from support_agent.runtime.breakers import check_system
from support_agent.runtime.recovery import sweep
from tickets.services.actions import actions_expire

log = structlog.get_logger(__name__)


def run_sweep() -> None:
    """Repair what lost jobs and dead processes left."""
    log.info("swept", **sweep().as_json())


def run_breakers() -> None:
    """Look at the last hour, and turn the system's switches."""
    check_system()


def expire_actions() -> None:
    """Proposals whose time is up can no longer be clicked; customers see it on the card."""
    actions_expire()
