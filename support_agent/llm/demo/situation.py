"""What one request says: the conversation, the server's notices, the tools on offer and what they answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from support_agent.agent.pictures import without_named
from support_agent.llm.demo.slots import EMAIL

Json = dict[str, Any]
NOTES = "Notes of the desk, as data;"  # how a block begins that no customer wrote
_LINE = re.compile(r"^\s*[-*]?\s*([A-Za-z][\w '()/-]{1,40}?)\s*[:=]\s*(.+)$")
_IDENTITY_KEY = re.compile(r"verif|signed|customer|identity|e-?mail|who", re.I)
_NOT = re.compile(
    r"\b(not|un)[ -]?(verified|signed|known)|\bunverified|^(no|false|none|nobody|anonymous)\b|anonymous", re.I
)
_OBJECTION = re.compile(
    r"reject|not (?:be )?(?:shown|sent)|was withdrawn|was dropped|\bissues?\b|revise|answer again",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One customer message, with the assistant's text before it ('' at the start)."""

    before: str
    said: str


@dataclass(frozen=True, slots=True)
class Result:
    """One tool call of this turn and its answer."""

    name: str
    arguments: Json
    data: Json

    @property
    def status(self) -> str:
        return str(self.data.get("status", "error"))


@dataclass(frozen=True, slots=True)
class Situation:
    """`verified` is None when no notice tells; `objection` is the server's wish to word an answer again, or ''."""

    system: str
    exchanges: tuple[Exchange, ...]
    verified: bool | None
    email: str
    tools: dict[str, Json]
    results: tuple[Result, ...]
    objection: str
    waiting: bool  # a person has been asked to take over
    person_answers: str  # when, in the server's words
    action_state: str  # of the newest proposal, or ''
    says: str  # to a customer of another language than ours, or ''
    schema: Json | None
    pictures: int = 0  # attached to the newest words
    is_wordless: bool = False  # the newest message is pictures and no word
    descriptions: dict[str, str] = field(default_factory=dict)  # of the tools
    further: str = ""  # what the planner is told of tools beside the product's

    @property
    def text(self) -> str:
        return self.exchanges[-1].said if self.exchanges else ""


def read(body: Json) -> Situation:
    """A Messages API request body, understood; tolerant of what it does not know."""
    messages: list[Json] = list(body.get("messages") or [])
    start = _turn_start(messages)
    notices = _texts_of(messages, "system")
    newest = messages[start].get("content") if start >= 0 else ""
    verified, email = _identity(notices)
    schema_format = (body.get("output_config") or {}).get("format") or {}
    return Situation(
        system=_text(body.get("system") or ""),
        exchanges=_exchanges(messages[: start + 1]),
        verified=verified,
        email=email,
        tools={tool["name"]: tool.get("input_schema") or {} for tool in body.get("tools") or [] if "name" in tool},
        results=_results(messages[start + 1 :]),
        objection="\n".join(text for text in _texts_of(messages[start + 1 :], "system") if _OBJECTION.search(text)),
        waiting=any(re.search(r"^status: a person has been asked", text, re.M) for text in notices),
        person_answers=_line("a person answers", notices),
        action_state=next(iter(re.findall(r"^action .*\bstate (\w+)", "\n".join(notices), re.M)[::-1]), ""),
        says=_line("demo model says", notices),
        schema=schema_format.get("schema") if schema_format.get("type") == "json_schema" else None,
        pictures=sum(block.get("type") == "image" for block in _blocks(newest)),
        is_wordless=bool(_text(newest).strip()) and not _words(newest),
        descriptions={tool["name"]: str(tool.get("description", "")) for tool in body.get("tools") or []},
        further="\n".join(notices).partition("further tools;")[2],
    )


def _turn_start(messages: Sequence[Json]) -> int:
    """Where the customer's newest words stand; -1 when there are none."""
    for at in range(len(messages) - 1, -1, -1):
        if messages[at].get("role") == "user" and _text(messages[at].get("content")).strip():
            return at
    return -1


def _exchanges(messages: Sequence[Json]) -> tuple[Exchange, ...]:
    found: list[Exchange] = []
    before = ""
    for message in messages:
        text = _words(message.get("content"))
        if not text:
            continue
        if message.get("role") == "assistant":
            before = f"{before}\n\n{text}".strip()
        elif message.get("role") == "user":
            found.append(Exchange(before, text))
            before = ""
    return tuple(found)


def _results(messages: Sequence[Json]) -> tuple[Result, ...]:
    asked: dict[str, Json] = {}
    found: list[Result] = []
    for message in messages:
        for block in _blocks(message.get("content")):
            if block.get("type") == "tool_use":
                asked[block["id"]] = block
            elif block.get("type") == "tool_result" and block.get("tool_use_id") in asked:
                use = asked[block["tool_use_id"]]
                found.append(Result(use["name"], use.get("input") or {}, _json(_text(block.get("content")))))
    return tuple(found)


def _identity(notices: Iterable[str]) -> tuple[bool | None, str]:
    """(verified, e-mail) as the newest notice that tells has it."""
    verified: bool | None = None
    email = ""
    for line in (line for notice in notices for line in notice.splitlines()):
        match = _LINE.match(line)
        key, value = (match.group(1), match.group(2)) if match else ("", line)
        if not (match and _IDENTITY_KEY.search(key)) and not re.match(
            r"\W*(the )?customer is|\W*(not )?(verified|signed in)", line, re.I
        ):
            continue
        address = EMAIL.search(value)
        if _NOT.search(value) or (_NOT.search(key) and "no" not in value.lower()):
            verified, email = False, ""
        elif address and (verified is not False or "verif" in line.lower() or "signed in" in line.lower()):
            verified, email = True, address.group().rstrip(".")
        elif re.search(r"\bverified\b|signed in", line, re.I) and re.match(
            r"(yes|true|verified|signed)", value.strip(), re.I
        ):
            verified = True
    return verified, email


def _line(key: str, notices: Iterable[str]) -> str:
    """The newest value of a `key: value` line, or ''."""
    found = [
        line.partition(":")[2].strip() for text in notices for line in text.splitlines() if line.startswith(f"{key}:")
    ]
    return found[-1] if found else ""


def _texts_of(messages: Iterable[Json], role: str) -> list[str]:
    return [_text(message.get("content")) for message in messages if message.get("role") == role]


def _blocks(content: Any) -> list[Json]:
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _text(content: Any) -> str:
    """The text of a string or of the text blocks of a list, without the desk's own notes among them."""
    if isinstance(content, str):
        return content
    texts = [str(block["text"]) for block in _blocks(content) if block.get("type") == "text"]
    return "\n".join(text for text in texts if not text.startswith(NOTES))


def _words(content: Any) -> str:
    """The text without the names of what is attached."""
    return without_named(_text(content))


def _json(text: str) -> Json:
    try:
        data = json.loads(text)
    except ValueError:
        return {"status": "error", "retryable": False, "message": text[:200]}
    return data if isinstance(data, dict) else {"status": "error", "retryable": False}
