"""Saved cases: the suite `saved`. Their YAML is that of the files, one case each, whose id is its name."""

from __future__ import annotations

import yaml
from pydantic import ValidationError

from support_agent.evals.cases import Case, said, where
from support_agent.models import SavedCase
from support_agent.runtime.eval_runs import SAVED


def load_saved(name: str = "") -> list[Case]:
    """Every saved case by name, or the one of this name. Raises ValueError for the first that is none (any more)."""
    rows = SavedCase.objects.filter(name=name) if name else SavedCase.objects.order_by("name")
    return [parsed(row.yaml, row.name) for row in rows]


def check_yaml(text: str, name: str) -> str:
    """What is wrong with it, in one sentence, or ''."""
    try:
        parsed(text, name)
    except ValueError as problem:
        return str(problem)
    return ""


def parsed(text: str, name: str) -> Case:
    """The one case of a YAML text. Raises ValueError, whose text says what is wrong and where."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise ValueError(f"{name}: this is no YAML: {where(problem)}") from None
    if not (isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict)):
        raise ValueError(f"{name}: it must be a list of one case, beginning with “- id: {name}”")
    try:
        case = Case.model_validate({**found[0], "suite": SAVED})
    except ValidationError as problem:
        raise ValueError(f"{name}: {said(problem)}") from None
    if case.id != name:
        raise ValueError(f"{name}: its id must be its name, “{name}”, not “{case.id}”")
    return case
