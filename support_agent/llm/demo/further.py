"""Tools beside the product's: named in a plan, called and told, by their words alone; the demo model knows none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from support_agent.agent.routing import TOOLSETS
from support_agent.llm.demo.desk import Call
from support_agent.llm.demo.situation import Result, Situation

Json = dict[str, Any]
OURS = {name for names in TOOLSETS.values() for name in names}
_OFFERED = re.compile(r"^- ([\w-]+)( \(an action\))?: (.+)$", re.MULTILINE)
_WORD = re.compile(r"[a-z]{4,}")
_CODE = re.compile(r"\b(?=[A-Z0-9-]*\d)[A-Z0-9]+(?:-[A-Z0-9]+)*\b")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_DAY = re.compile(r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\btomorrow\b|\btoday\b")
_EMPTY = {"what", "this", "that", "with", "from", "have", "when", "your", "their", "tool", "order", "customer", "many"}
MOST_SHOWN = 6


def named(situation: Situation) -> list[tuple[str, bool]]:
    """Of the tools that the planner is told of, those the message is about: (name, whether it acts)."""
    found = [
        (_shared(situation.text, f"{name} {purpose}"), name, bool(acts))
        for name, acts, purpose in _OFFERED.findall(situation.further)
    ]
    best = sorted((one for one in found if one[0]), key=lambda one: -one[0])[:3]
    return [(name, acts) for _, name, acts in best]


def planned(plan: Json, situation: Situation) -> Json:
    """The plan with the tools it needs; as it was where there are none to name."""
    if "tools" not in (situation.schema or {}).get("properties", {}):
        return plan
    tools = named(situation)
    if not tools:
        return {**plan, "tools": []}
    acts = [{"type": "take_action", "priority": "required", "description": "Prepare it"}] if tools[0][1] else []
    looks = {"type": "gather_info", "priority": "required", "description": "Look it up"}
    answer = {"type": "answer", "priority": "required", "description": "Answer the customer"}
    changes = {"in_scope": True, "confidence": max(plan["confidence"], 0.8), "steps": [looks, *acts, answer]}
    return {**plan, **changes, "tools": [name for name, _ in tools], "is_complete": False}


def act(situation: Situation) -> tuple[list[Call], str] | None:
    """The call of the one that fits best, or what it answered; None where none fits."""
    done = next((result for result in reversed(situation.results) if result.name not in OURS), None)
    if done is not None:
        return [], told(done)
    offered = {name: tool for name, tool in situation.tools.items() if name not in OURS}
    fits = {name: _shared(situation.text, f"{name} {situation.descriptions.get(name, '')}") for name in offered}
    if not any(fits.values()):
        return None
    name = max(fits, key=lambda one: fits[one])
    arguments, lacking = _filled(offered[name], situation.text)
    if lacking:
        return [], f"Could you tell me the {lacking.replace('_', ' ')}?"
    return [Call(name, arguments)], ""


def told(result: Result) -> str:
    """An answer in plain words: its first plain values, each under its own name."""
    if result.status == "pending_confirmation":
        return "I have prepared that for you. Please confirm it below."
    if result.status in ("success", "degraded"):
        values = list(_values({key: value for key, value in result.data.items() if key != "status"}))[:MOST_SHOWN]
        return "\n".join(["Here is what I found:", *(f"- {name}: {value}" for name, value in values)])
    if result.status == "needs_verification":
        return "I first need to know that it is you. What is your e-mail address?"
    return "I could not look that up just now. Shall I bring in a colleague?"


def _values(node: Any, name: str = "") -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value, name)
    elif node is not None and not isinstance(node, bool):
        yield name.replace("_", " "), node


def _filled(schema: Mapping[str, Any], text: str) -> tuple[Json, str]:
    """(the required arguments as the message has them, the first that it lacks)."""
    arguments: Json = {}
    for name in schema.get("required") or []:
        value = _value(name, schema["properties"][name], text)
        if value is None:
            return arguments, name
        arguments[name] = value
    return arguments, ""


def _value(name: str, node: Mapping[str, Any], text: str) -> Any:
    if choices := node.get("enum"):
        return next((one for one in choices if str(one).replace("_", " ").lower() in text.lower()), None)
    if node.get("type") in ("integer", "number"):
        found = re.search(r"(?<![\w-])\d+(?![\w-])", text)
        return int(found[0]) if found else None
    if node.get("type") != "string":
        return None
    if re.search(r"da(y|te)|when", name):
        found = _DATE.search(text) or _DAY.search(text)
    elif re.search(r"query|question|text|words|topic|about|message|reason|note|problem|description", name):
        return text[:300]
    else:
        found = _CODE.search(text)
    return found[0] if found else None


def _shared(text: str, words: str) -> int:
    """How many of the words a message and a tool have in common, by their first five letters."""
    said, known = ({word[:5] for word in _WORD.findall(one.lower()) if word not in _EMPTY} for one in (text, words))
    return len(said & known)
