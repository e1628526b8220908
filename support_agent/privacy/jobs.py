"""What the clock asks for: the nightly purge, and erasures that something interrupted."""

from __future__ import annotations

import structlog

from support_agent.privacy.erase import erasures_resume
from support_agent.privacy.retention import purge

log = structlog.get_logger(__name__)


def run_purge() -> None:
    """Let go of what was kept long enough."""
    log.info("purged", **{kind: number for kind, number in purge().items() if number})


def resume_erasures() -> None:
    """Go on where a crash left off, and erase again what a restored backup brought back."""
    if again := erasures_resume():
        log.info("erasures_resumed", count=again)
