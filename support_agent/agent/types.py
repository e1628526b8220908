"""The engine's value types and ports: no identity, no storage, no Django.

Toolset, Plan        what a turn may do and means to do
ModelRequest/Reply   one call of the Messages API; ModelFailure when it did not end well
StepRecord           one thing the agent did, as it is checkpointed and traced
TurnInput            what the runtime hands the engine; TurnState what it checkpoints; Outcome what comes back
Ports                everything the engine reaches the world through
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from support_agent.agent.remembered import Memory
from support_agent.agent.toolkit import Extra

Json = dict[str, Any]
Block = dict[str, Any]  # a content block of the Messages API, kept byte for byte
ZERO = Decimal("0")
HandOverReason = Literal["asked", "money", "legal", "unsure", "tool_failing", "safety", "unverified"]
"""Why a model may want a person to take over."""
INVALID_JSON = "invalid_json"  # on a tool_use whose arguments were no JSON object: what the model wrote; `input` is {}


class Tier(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Surface(StrEnum):
    """Where a customer is; limits and toolsets follow from it."""

    ANONYMOUS = "anonymous"
    SIGNED_IN = "signed_in"
    PAYING = "paying"
    ENTERPRISE = "enterprise"
    BACKGROUND = "background"


class StepKind(StrEnum):
    PLAN = "plan"
    MODEL_CALL = "model_call"
    TOOL_CALL = "tool_call"
    OBSERVE = "observe"
    CRITIC = "critic"
    COMPRESS = "compress"
    GUARD = "guard"
    ERROR = "error"
    ESCALATE = "escalate"


class PlanStep(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["gather_info", "take_action", "escalate", "answer"]
    priority: Literal["required", "optional"]
    description: str = Field(max_length=300)


class Plan(BaseModel):
    """The planner's structured output (CONTRACT.md, 'What the model is offered')."""

    model_config = ConfigDict(extra="forbid")
    goal: str = Field(max_length=500)
    topic: str = Field(max_length=80)
    subject: Literal["orders", "billing", "account", "technical"]
    in_scope: bool
    complexity: Literal["simple", "medium", "complex"]
    confidence: float = Field(ge=0, le=1)
    steps: list[PlanStep] = Field(max_length=10)
    is_complete: bool


class WiderPlan(Plan):
    """The plan where there are tools beside the product's: which of them the turn needs."""

    tools: list[str] = Field(default=[], max_length=10)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the API counts them; the prompt is input + cache_read + cache_write."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, slots=True)
class Spend:
    """What one call (or a whole turn) used and cost; `estimated` when a cut stream left the output unknown."""

    usage: Usage = Usage()
    cost_usd: Decimal = ZERO
    estimated: bool = False

    def __add__(self, other: Spend) -> Spend:
        return Spend(self.usage + other.usage, self.cost_usd + other.cost_usd, self.estimated or other.estimated)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call. `system` and `tools` are the cached prefix; `messages` may hold appended system messages."""

    tier: Tier
    system: str
    messages: Sequence[Json]
    max_tokens: int
    tools: Sequence[Json] = ()
    output_schema: Json | None = None  # structured output; then nothing is streamed
    timeout_s: float = 40.0
    lasting: int = 0  # so many of the first messages are sent again by later turns, word for word


@dataclass(frozen=True, slots=True)
class ModelReply:
    model: str
    content: list[Block]  # byte-exact, thinking blocks included; pick by type, never by index
    stop_reason: (
        str  # end_turn | max_tokens | stop_sequence | tool_use | pause_turn | refusal | model_context_window_exceeded
    )
    spend: Spend
    duration_ms: int
    ttft_ms: int | None = None

    @property
    def text(self) -> str:
        return "".join(block["text"] for block in self.content if block["type"] == "text")

    @property
    def tool_uses(self) -> list[Block]:
        return [block for block in self.content if block["type"] == "tool_use"]


class ModelFailure(Exception):
    """A call that did not end well, after the client's own retries; its spend is real and must be recorded.

    kind: overloaded | rate_limited | timeout | connection | broken_stream | server | rejected (a 4xx: our bug or key).
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        model: str = "",
        spend: Spend = Spend(),
        text_shown: bool = False,
        duration_ms: int = 0,
        attempts: int = 1,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail, self.model, self.spend = kind, detail, model, spend
        self.text_shown, self.duration_ms, self.attempts, self.retry_after_s = (
            text_shown,
            duration_ms,
            attempts,
            retry_after_s,
        )

    @property
    def retryable(self) -> bool:
        """Whether another tier may be tried."""
        return self.kind != "rejected"


def spend_before(error: BaseException) -> Spend:
    """What a model call had cost when `error` ended it: on a ModelFailure, and on any stop or cancellation as well."""
    spend = getattr(error, "spend", None)
    return spend if isinstance(spend, Spend) else Spend()


OnText = Callable[[str], Awaitable[None]]


class ModelPort(Protocol):
    async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        """One call of the Messages API; text reaches `on_text` as it streams. Raises ModelFailure."""

    def model_id(self, tier: Tier) -> str: ...

    def worst_case_usd(self, request: ModelRequest) -> Decimal:
        """Upper bound of what the call can cost: what a budget reserves before it."""


@dataclass(slots=True)
class StepRecord:
    """One thing the agent did. `input` and `output` are JSON; costs in USD, durations in ms."""

    index: int
    kind: StepKind
    input: Json = field(default_factory=dict)
    output: Json = field(default_factory=dict)
    status: str = "ok"  # ok | failed | and for tool calls the result's status
    error: str = ""
    model: str = ""
    tool: str = ""
    spend: Spend = Spend()
    duration_ms: int = 0
    ttft_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A model's wish to call a tool, as it came."""

    id: str
    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class TurnInput:
    """What one turn starts from. `history` is the conversation before it as alternating user / assistant texts."""

    turn_id: UUID
    conversation_id: UUID
    surface: Surface
    verified: bool
    locale: str
    text: str  # the customer's new message(s), joined
    history: Sequence[Json] = ()
    notice: str = ""  # server-written facts of this turn: date, who is signed in, action states; never customers' words
    evidence: Sequence[str] = ()  # tool results of earlier turns, as JSON text
    memory: Memory | None = None  # what `history` is made of; None leaves it as it is given
    article_score: float = 0.0  # of the help centre's best article for the text, 0 to 1
    doubted: bool = False  # the turn before this one was not sure of itself
    mutations_allowed: bool = True  # false while a person is awaited
    # What staff want for themselves: no planner, and tools that only read.
    assist: Literal["", "summary", "draft", "article"] = ""
    extras: Sequence[Extra] = ()  # tools beside the product's that this surface may be offered
    drafted: bool = False  # an answer for staff to send: as a customer's turn, with tools that only read
    pictures: Sequence[Block] = ()  # what is attached to the new message(s), as references (agent/pictures.py)


@dataclass(slots=True)
class TurnState:
    """What survives a dead runner: everything the engine needs to go on from its last step. JSON both ways."""

    plan: Json | None = None
    path: str = ""  # fast | planned | assist
    tools: list[str] = field(default_factory=list)
    tier: str = ""
    messages: list[Json] = field(default_factory=list)  # this turn's own, after the history
    texts: list[str] = field(default_factory=list)  # accepted texts of finished calls
    calls: list[list[str]] = field(default_factory=list)  # [tool, argument hash], for repetition
    sources: list[Json] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)  # tool results of this turn, as JSON text
    noticed: list[str] = field(default_factory=list)  # loops already pointed out
    noticed_after: int = 0  # how many calls there were when the last of them was
    failed_calls: int = 0
    escalated: bool = False  # a tool has put the conversation before a person
    person_wished: Json | None = None  # the reason and summary of a hand-over whose tool failed
    done: bool = False  # the model has nothing left to say: only the ending remains
    guarded: bool = False  # what the guard found is written down
    cautious: bool = False  # the message looks like an attack: no changes, a strict critic
    doubtful: bool = False  # not sure enough: the next doubtful turn goes to a person
    confidence: float | None = None
    revisions: int = 0
    tries: int = 0  # calls asked for since the last one that stood
    handover: Json | None = None  # why a person takes over, once that is decided
    replanned: bool = False
    next_index: int = 0
    tokens: int = 0
    cost_usd: str = "0"

    def as_json(self) -> Json:
        """What a checkpoint keeps; nothing is copied."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def restored(cls, checkpoint: Json) -> TurnState:
        """From a checkpoint, whichever version of ours wrote it: old and new runners work side by side."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in checkpoint.items() if name in known})

    def hand_over(self, reason: str, detail: str, *, flagged: bool = False) -> None:
        """Decide that a person takes over. Said before the step that led to it is written: who resumes asks nothing
        again."""
        if self.handover is None:
            self.handover = {"reason": reason, "detail": detail, "flagged": flagged, "written": False}


@dataclass(frozen=True, slots=True)
class EscalationWish:
    """Why and to whom the conversation goes; `reason` is one of tickets' EscalationReason values."""

    reason: str
    summary: str
    team: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the engine ended: the one assistant text of the turn, its sources, and whether a person takes over."""

    state: Literal["answered", "escalated", "failed"]
    text: str
    sources: Sequence[Json] = ()  # [{"n", "title", "url"}], only those the text cites
    escalation: EscalationWish | None = None
    spend: Spend = Spend()


class StepSink(Protocol):
    async def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        """Checkpoint steps with the state after them, in one write. Raises TurnLost when the turn is no longer ours."""


class TextSink(Protocol):
    """What the customer sees while the answer grows."""

    async def activity(self, state: Literal["thinking", "tool", "writing", "idle"], label: str = "") -> None: ...

    async def show(self, text: str) -> None:
        """Append checked text to what is shown of this turn's message."""

    async def retract(self) -> None:
        """Withdraw everything shown of this turn so far; what comes next is a new message."""


class BudgetPort(Protocol):
    async def reserve(self, usd: Decimal, tokens: int) -> None:
        """Reserve the worst case before a call. Raises LimitReached."""

    async def settle(self, reserved_usd: Decimal, spend: Spend) -> None:
        """Count what the call has cost; comes right after the write of its step."""

    def remaining(self) -> tuple[Decimal, int]:
        """(USD, tokens) left for this turn."""

    def is_tight(self) -> bool:
        """Past the soft limit anywhere: the cheapest model from here on."""


class ToolPort(Protocol):
    def schemas(self, names: Sequence[str]) -> list[Json]:
        """The API's `tools` entries, in the given order."""

    async def call(self, use: ToolUse, offered: Sequence[str]) -> Json:
        """Run one tool and answer the contract's result JSON with `status`; never raises for a tool's own faults."""

    def label(self, name: str) -> str:
        """What the customer reads while it runs: 'Looking up your order …'."""


class StopPort(Protocol):
    def requested(self) -> str:
        """'' or why the turn must end now: stop | taken_over | closed | human | shutdown."""


@dataclass(frozen=True, slots=True)
class Ports:
    model: ModelPort
    tools: ToolPort
    steps: StepSink
    text: TextSink
    budget: BudgetPort
    stop: StopPort
