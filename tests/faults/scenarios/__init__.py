"""All scenarios, in the order in which they run."""

from __future__ import annotations

from tests.faults.registry import SCENARIOS
from tests.faults.scenarios import clients, kills, models, servers, shops

__all__ = ["SCENARIOS", "clients", "kills", "models", "servers", "shops"]
