"""Saved cases: the suite `saved`. Their YAML is that of the files, one case each, whose id is its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml
from django.db.models import Model
from pydantic import ValidationError

from support_agent.evals.cases import SAVED, Case
from support_agent.evals.matching import has_parcel
from support_agent.models import SavedCase
from tickets.models import Customer, Order

_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)*)\}")
PEOPLE = ("customer", "other")


def load_saved() -> list[Case]:
    """Every saved case, by name. Raises ValueError for the first that is none (any more)."""
    return [parsed(row.yaml, row.name) for row in SavedCase.objects.order_by("name")]


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
        raise ValueError(f"{name}: this is no YAML: {_where(problem)}") from None
    if not (isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict)):
        raise ValueError(f"{name}: it must be a list of one case, beginning with “- id: {name}”")
    try:
        case = Case.model_validate({**found[0], "suite": SAVED})
    except ValidationError as problem:
        raise ValueError(f"{name}: {_said(problem)}") from None
    if case.id != name:
        raise ValueError(f"{name}: its id must be its name, “{name}”, not “{case.id}”")
    facts = set(case.persona.facts) if case.persona else set()
    if unknown := sorted(path for path in _placeholders(found[0]) - facts if not _is_there(path, case.records)):
        named = ", ".join(f"{{{path}}}" for path in unknown)
        raise ValueError(f"{name}: {named} is nothing here: a record must be among `records`, and have that value")
    return case


def _placeholders(value: Any) -> set[str]:
    """What the texts of a case name in braces."""
    if isinstance(value, dict):
        return {path for inner in value.values() for path in _placeholders(inner)}
    if isinstance(value, list):
        return {path for inner in value for path in _placeholders(inner)}
    return set(_PLACEHOLDER.findall(value)) if isinstance(value, str) else set()


def _is_there(path: str, records: Sequence[str]) -> bool:
    """Whether a case's world knows `paid_order`, `paid_order.total`, `paid_order.tracking` or `customer.email`."""
    if path in (*PEOPLE, *records):
        return True
    thing, _, attribute = path.rpartition(".")
    if thing in PEOPLE:
        return _has(Customer, attribute)
    if thing not in records:
        return False
    if attribute == "tracking":
        return has_parcel(thing)
    return _has(Order, attribute)


def _has(model: type[Model], attribute: str) -> bool:
    return any(field.name == attribute for field in model._meta.concrete_fields)


def _where(problem: yaml.YAMLError) -> str:
    mark = getattr(problem, "problem_mark", None)
    said = str(getattr(problem, "problem", "") or problem).splitlines()[0]
    return f"line {mark.line + 1}, {said}" if mark else said


def _said(problem: ValidationError) -> str:
    """The first three problems, each with its place."""
    found = [
        f"{'.'.join(str(part) for part in error['loc']) or 'the case'}: {error['msg'].removeprefix('Value error, ')}"
        for error in problem.errors()
    ]
    more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more
