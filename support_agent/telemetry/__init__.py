"""Turns as OpenTelemetry spans, by the conventions for generative AI, when OTEL_EXPORTER_OTLP_ENDPOINT is set.

A trace a turn: `invoke_agent` with its model calls (`chat`) and tools (`execute_tool`) below. Without the endpoint
nothing is imported and every call here does nothing. Whatever goes wrong with telemetry, no turn hears of it.
docs/observability.md has the table of spans.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from support_agent.agent.types import StepRecord, TurnState
from support_agent.env import env

log = logging.getLogger(__name__)
GOODBYE_S = 3.0


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What is known of a turn when it begins; ids only. `previous` is the conversation's turn before it."""

    turn_id: UUID
    conversation_id: UUID
    attempt: int
    surface: str
    customer_id: UUID | None = None
    previous: UUID | None = None


class TurnTrace(Protocol):
    """One attempt at one turn, told as it happens."""

    def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        """Steps that have just ended."""

    def prompt(self, version: str) -> None:
        """Which prompt speaks."""

    def end(self, state: str, *, reason: str = "", error: str = "") -> None:
        """The attempt is over; the second call does nothing."""


class Silence:
    """What a turn is told to while telemetry is off."""

    def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        return

    def prompt(self, version: str) -> None:
        return

    def end(self, state: str, *, reason: str = "", error: str = "") -> None:
        return


SILENCE = Silence()


def is_on() -> bool:
    return bool(env.otel_exporter_otlp_endpoint)


def begin(facts: TurnFacts) -> TurnTrace:
    """Begin a turn's trace. Never raises."""
    if not is_on():
        return SILENCE
    try:
        from support_agent.telemetry.spans import SpannedTurn

        return SpannedTurn(facts)
    except Exception:
        log.warning("telemetry_failed", exc_info=True)
        return SILENCE


def shutdown() -> None:
    """Send what is left, for three seconds at most: an ending process waits for no collector."""
    if not is_on():
        return
    from support_agent.telemetry.export import close

    goodbye = threading.Thread(target=close, daemon=True)
    goodbye.start()
    goodbye.join(GOODBYE_S)
