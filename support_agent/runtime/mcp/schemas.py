"""A tool's definition as a server lists it, made into what the Messages API takes and staff can read. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

Json = dict[str, Any]
MAX_CHARS, MAX_DEPTH, MAX_TEXT, MAX_ARGUMENTS = 8_000, 8, 300, 30
# Patterns can take an hour to match; the rest says nothing that a check or the model needs.
KEPT = {
    "type", "properties", "required", "items", "enum", "const", "description", "minimum", "maximum", "minLength",
    "maxLength", "minItems", "maxItems", "anyOf", "oneOf", "allOf", "additionalProperties",
}  # fmt: skip
_ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
# Of a person, or of what only one person may ask about. Parts of words count, since names are joined ("customerid").
_PERSONAL = re.compile(
    "customer|client|user|account|mail|member|phone|mobile|person|subscri|buyer|contact|owner|identity|login|order|"
    "invoice|ticket|booking|reservation|appointment|shipment|parcel|tracking|payment|contract|loyalty|card"
)
_PERSONAL_WORDS = {"sub", "who"}
# However a number is called, it is somebody's until an admin says otherwise.
_NUMBERED = re.compile(r"(id|uuid|guid|number|num|no|nr|ref|reference)s?\d*$")


class Unusable(Exception):
    """A definition that cannot be offered, with a sentence for staff."""


def digest(definition: Json) -> str:
    """Of everything a server says of a tool: any difference is another digest."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def tool_name(server: str, tool: str, taken: Collection[str] = ()) -> str:
    """`mcp_<server>_<tool>` in the API's alphabet; a name that had to be changed, or is taken, ends in a piece of its
    digest."""
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", tool)
    name = f"mcp_{server}_{plain}"
    if plain == tool and len(name) <= 64 and name not in taken:
        return name
    piece = hashlib.sha256(f"{server} {tool}".encode()).hexdigest()[:8]
    return f"{name[:55]}_{piece}"


def input_schema(definition: Json) -> Json:
    """The arguments as a plain schema: an object without references, patterns or combinators at its top. Raises
    Unusable."""
    raw = definition.get("inputSchema")
    if not isinstance(raw, dict) or raw.get("type") != "object":
        raise Unusable("Its arguments are no object.")
    if any(key in raw for key in ("anyOf", "oneOf", "allOf")):
        raise Unusable("Its arguments are a choice of several forms, which the model's API does not take.")
    plain: Json = _plain(raw, raw, 0)
    names = plain.setdefault("properties", {})
    if len(names) > MAX_ARGUMENTS or not all(_ARGUMENT.fullmatch(name) for name in names):
        raise Unusable(f"It has more than {MAX_ARGUMENTS} arguments, or one whose name the model's API does not take.")
    plain["required"] = [name for name in plain.get("required", []) if name in names]
    plain["additionalProperties"] = False
    plain.pop("description", None)
    if len(json.dumps(plain)) > MAX_CHARS:
        raise Unusable(f"Its arguments take more than {MAX_CHARS:,} characters to describe.")
    return plain


def _plain(node: Any, root: Json, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Unusable(f"Its arguments are nested deeper than {MAX_DEPTH} levels, or refer to themselves.")
    if not isinstance(node, dict):
        return {}  # `true`: anything
    if isinstance(reference := node.get("$ref"), str):
        return _plain({**_found(reference, root), **{k: v for k, v in node.items() if k != "$ref"}}, root, depth + 1)
    made: Json = {}
    for key, value in node.items():
        if key == "properties" and isinstance(value, dict):
            made[key] = {str(name): _plain(one, root, depth + 1) for name, one in value.items()}
        elif key in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
            made[key] = [_plain(one, root, depth + 1) for one in value[:20]]
        elif key in ("items", "additionalProperties"):
            made[key] = value if isinstance(value, bool) else _plain(value, root, depth + 1)
        elif key == "description":
            made[key] = " ".join(str(value).split())[:MAX_TEXT]
        elif key in KEPT and key != "properties":
            made[key] = value
    return made


def _found(reference: str, root: Json) -> Json:
    node: Any = root
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part) if isinstance(node, dict) else None
    if not reference.startswith("#/") or not isinstance(node, dict):
        raise Unusable("Its arguments refer to a definition that is not there.")
    return node


def names_of_persons(schema: Json) -> list[str]:
    """Arguments that seem to say whose records a call is about, by their own names or those of what is inside them."""
    return [name for name, node in schema["properties"].items() if any(map(_is_personal, (name, *_inner_names(node))))]


def _is_personal(name: str) -> bool:
    words = {word.lower() for word in _WORDS.findall(name)}
    return bool(_PERSONAL.search(name.lower()) or _NUMBERED.search(name.lower()) or words & _PERSONAL_WORDS)


def _inner_names(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        properties = node.get("properties")
        yield from properties if isinstance(properties, dict) else ()
        for value in node.values():
            yield from _inner_names(value)
    elif isinstance(node, list):
        for value in node:
            yield from _inner_names(value)


def without(schema: Json, hidden: set[str]) -> Json:
    """The schema as the model sees it: without what is filled by us."""
    shown = {name: node for name, node in schema["properties"].items() if name not in hidden}
    return {**schema, "properties": shown, "required": [name for name in schema["required"] if name in shown]}
