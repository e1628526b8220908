"""Saved cases are copied into the results of every run of theirs: erased with them, found by their names alone."""

from __future__ import annotations

from uuid import UUID

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from support_agent.models import EvalResult, EvalRun, SavedCase

SAVED = "saved"  # the suite of cases in the database


def forget_results(conversation_id: UUID) -> int:
    """Empty what runs kept of this conversation's saved cases, while these are still there; how many results.

    Verdicts, costs and times stay. The name goes too, for it was made of what the turn was about."""
    names = list(SavedCase.objects.filter(turn__conversation=conversation_id).values_list("name", flat=True))
    EvalRun.objects.filter(suite__in=names).update(suite=SAVED)
    return EvalResult.objects.filter(suite=SAVED, case__in=names).update(
        case=Concat(Value("erased-"), Cast("pk", CharField())), written="", said=[], failures=[]
    )
