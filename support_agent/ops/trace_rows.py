"""A trace as its page shows it: turns with their rows, each row with what belongs to it and where it leads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from support_agent.agent.types import StepKind
from support_agent.models import Step, ToolCall, Turn
from support_agent.ops.evidence import Backed, Call, Known, backed_claims, called, notices_of
from support_agent.ops.prompt_used import PromptUsed, prompts_used
from support_agent.ops.selectors.trace import BAD_STEPS, Block, Trace
from support_agent.ops.waterfall import Bar, Waterfall
from tickets.models import Conversation, Escalation, Message

Json = dict[str, Any]
FINE = {"ok", "success", "continue"}
AFTER = timedelta(seconds=2)  # an escalation is written in the transaction that ends its turn


@dataclass(frozen=True)
class Said:
    """A block of what a model was told or answered: `kind` text, tool_use, tool_result or thinking."""

    role: str
    kind: str
    text: str = ""
    value: Any = None


@dataclass
class Row:
    """One step, ready to be shown."""

    bar: Bar
    call: ToolCall | None = None
    claims: list[Backed] = field(default_factory=list)
    issues: list[Json] = field(default_factory=list)
    escalation: Escalation | None = None

    @property
    def step(self) -> Step:
        return self.bar.step

    @property
    def is_bad(self) -> bool:
        return self.step.status in BAD_STEPS

    @property
    def is_fine(self) -> bool:
        return self.step.status in FINE

    @property
    def told(self) -> list[Said]:
        """What of its prompt is new to the model."""
        newest = _get(self.step.input, "newest")
        messages = newest if isinstance(newest, list) else []
        return [said for message in messages if isinstance(message, dict) for said in _blocks_of(message)]

    @property
    def answered(self) -> list[Said]:
        return list(_blocks_of({"role": "assistant", "content": _get(self.step.output, "content") or []}))

    @property
    def plan(self) -> Json | None:
        return self.step.output if self.step.kind == StepKind.PLAN and _get(self.step.output, "goal") else None

    @property
    def unbacked(self) -> int:
        return sum(claim.source is None for claim in self.claims)


@dataclass
class Part:
    """A block with its rows; `prompt` is the system prompt its turn was given."""

    block: Block
    fall: Waterfall | None = None
    rows: list[Row] = field(default_factory=list)
    loose_calls: list[ToolCall] = field(default_factory=list)
    prompt: PromptUsed | None = None
    escalations: list[Escalation] = field(default_factory=list)

    @property
    def turn(self) -> Turn | None:
        return self.block.turn

    @property
    def bad(self) -> list[Row]:
        return [row for row in self.rows if row.is_bad]

    @property
    def cache_share(self) -> float | None:
        turn = self.block.turn
        prompt = turn.input_tokens + turn.cache_read_tokens + turn.cache_write_tokens if turn else 0
        return turn.cache_read_tokens / prompt if turn and prompt else None

    @property
    def waited_ms(self) -> int | None:
        """From the message until a runner began."""
        turn = self.block.turn
        return _between(turn.created_at, turn.started_at) if turn else None

    @property
    def first_text_ms(self) -> int | None:
        """From the message until the customer read the first words."""
        turn = self.block.turn
        return _between(turn.created_at, turn.first_text_at) if turn else None

    @property
    def answered_ms(self) -> int | None:
        turn = self.block.turn
        return _between(turn.created_at, turn.finished_at) if turn else None

    @property
    def is_live(self) -> bool:
        return self.turn is not None and self.turn.state in (Turn.State.QUEUED, Turn.State.RUNNING)


def parts_of(blocks: list[Block], escalations: Iterable[Escalation]) -> list[Part]:
    """The blocks in their order, each claim traced to what the conversation had seen until then."""
    prompts = prompts_used({block.turn.prompt_version for block in blocks if block.turn})
    known, parts, waiting = Known(), [], list(escalations)
    for block in blocks:
        part = Part(block)
        if block.turn is not None:
            part = _turn_part(block, known, prompts, [one for one in waiting if _is_of(one, block.turn)])
            known.calls += [Call(step, earlier=True) for step in called(block.steps)]
        _remember(known, block, before=False)
        parts.append(part)
    return parts


def _turn_part(block: Block, known: Known, prompts: dict[str, PromptUsed], escalations: list[Escalation]) -> Part:
    assert block.turn is not None
    fall = Waterfall.of(block.turn, block.steps)
    assert fall is not None
    known.notices += notices_of(block.steps)
    _remember(known, block, before=True)
    calls = list(block.calls)
    rows = [_row(bar, block, calls, known, escalations) for bar in fall.bars]
    return Part(block, fall, rows, calls, prompts.get(block.turn.prompt_version), escalations)


def _row(bar: Bar, block: Block, calls: list[ToolCall], known: Known, escalations: list[Escalation]) -> Row:
    row, step = Row(bar), bar.step
    if step.kind == StepKind.TOOL_CALL:
        row.call = _taken(calls, step)
    if step.kind == StepKind.CRITIC:
        row.claims = backed_claims(step, block.steps, known)
        issues = _get(step.output, "issues")
        row.issues = [issue for issue in issues if isinstance(issue, dict)] if isinstance(issues, list) else []
    if escalations and (step.kind == StepKind.ESCALATE or step.tool == "escalate_to_human"):
        row.escalation = escalations[0]
    return row


def _taken(calls: list[ToolCall], step: Step) -> ToolCall | None:
    """The record of a step's call, taken out of `calls`: the first of the same tool with the same arguments."""
    for n, call in enumerate(calls):
        if call.tool == step.tool and call.arguments == step.input:
            return calls.pop(n)
    return None


def _remember(known: Known, block: Block, *, before: bool) -> None:
    """The customer's words are known before the turn they start, those of staff from then on."""
    for event in block.events:
        message = event.message
        if message is None:
            continue
        if message.role == Message.Role.CUSTOMER and (before or block.turn is None):
            known.customer.append(message)
        if message.role == Message.Role.STAFF and not before:
            known.staff.append(message)


def _is_of(escalation: Escalation, turn: Turn) -> bool:
    end = turn.finished_at
    return turn.created_at <= escalation.created_at and (end is None or escalation.created_at <= end + AFTER)


def turn_of_escalation(trace: Trace, escalation: Escalation) -> UUID | None:
    """The shown turn that escalated; None when a person asked by the button, or it is on another page."""
    turns = (block.turn for block in trace.blocks if block.turn)
    return next((turn.pk for turn in turns if _is_of(escalation, turn)), None)


def turn_link(conversation: Conversation, turn: UUID, shown: set[UUID], step: UUID | None = None) -> str:
    """To a turn or one of its steps: on this page, or on the page that has it."""
    anchor = f"#step-{step}" if step else f"#turn-{turn}"
    return anchor if turn in shown else f"/admin/traces/{conversation.pk}/?turn={turn}{anchor}"


def _blocks_of(message: Json) -> Iterator[Said]:
    role, content = str(message.get("role", "")), message.get("content")
    if isinstance(content, str):
        yield Said(role, "text", content)
        return
    for block in content if isinstance(content, list) else []:
        if not isinstance(block, dict):
            continue
        kind = str(block.get("type", ""))
        if kind == "text":
            yield Said(role, "text", str(block.get("text", "")))
        elif kind == "image":
            yield Said(role, "image", str(_get(block.get("source"), "name") or ""))
        elif kind == "tool_use":
            yield Said(role, "tool_use", str(block.get("name", "")), block.get("input"))
        elif kind == "tool_result":
            yield Said("tool", "tool_result", str(block.get("content", "")))
        elif "thinking" in kind:
            yield Said(role, "thinking", str(block.get("thinking", "")))


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _between(start: Any, end: Any) -> int | None:
    return max(round((end - start).total_seconds() * 1000), 0) if start and end else None
