"""How sure a turn may be of itself, from what code sees. Below its topic's threshold: one question, then a person."""

from __future__ import annotations

import json

from support_agent.agent.types import TurnState

# By the plan's subject: a wrong word about money costs more than one about a tent.
THRESHOLDS = {"billing": 0.5, "account": 0.45, "orders": 0.4, "technical": 0.35}
DEFAULT_THRESHOLD = 0.4
CLARIFY = "confidence: low. Ask one short clarifying question about what the customer wants; guess and change nothing."


def planned(confidence: float, subject: str) -> bool:
    """Whether the plan alone is sure enough to go on without asking back."""
    return confidence >= THRESHOLDS.get(subject, DEFAULT_THRESHOLD)


def threshold(state: TurnState) -> float:
    subject = str((state.plan or {}).get("subject", ""))
    return THRESHOLDS.get(subject, DEFAULT_THRESHOLD)


def of_turn(state: TurnState) -> float:
    """0 to 1: the plan's own confidence, lowered by weak retrieval, revisions and failed tools."""
    sure = float((state.plan or {}).get("confidence", 0.9))
    scores = [score for text in state.evidence for score in _scores(text)]
    if scores:
        sure *= 0.6 + 0.4 * min(1.0, max(scores))
    return round(sure * 0.85**state.revisions * 0.85**state.failed_calls, 2)


def _scores(result: str) -> list[float]:
    """The retrieval scores in a search's result."""
    return [float(hit["score"]) for hit in json.loads(result).get("results", []) if "score" in hit]
