"""The engine's numbers, in one place. Money in USD; limits by surface as in CONTRACT.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from support_agent.agent.prompts import NAMES, Prompt, prompt
from support_agent.agent.secrecy import inside_of
from support_agent.agent.types import Surface

SYSTEM_HOUR_USD = Decimal("50.00")


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits of one surface; `conversation` and `day` are None where the surface has none."""

    step: Decimal
    turn: Decimal
    turn_tokens: int
    conversation: Decimal | None
    day: Decimal | None
    steps: int = 25
    surface_day: Decimal | None = None  # of all customers of the surface together; none unless staff set one
    system_hour: Decimal = SYSTEM_HOUR_USD  # of all surfaces together, the same for each


def _limits(step: str, turn: str, tokens: int, conversation: str | None, day: str | None) -> Limits:
    def money(value: str | None) -> Decimal | None:
        return Decimal(value) if value is not None else None

    return Limits(Decimal(step), Decimal(turn), tokens, money(conversation), money(day))


LIMITS: Mapping[Surface, Limits] = MappingProxyType(
    {
        Surface.ANONYMOUS: _limits("0.10", "0.10", 50_000, "0.50", "1.00"),
        Surface.SIGNED_IN: _limits("0.50", "0.50", 100_000, "2.00", "5.00"),
        Surface.PAYING: _limits("0.50", "0.50", 100_000, "2.00", "5.00"),
        Surface.ENTERPRISE: _limits("0.50", "2.00", 200_000, "5.00", "20.00"),
        Surface.BACKGROUND: _limits("0.50", "5.00", 200_000, None, None),
    }
)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """How far one turn may go."""

    step_cap: int = 25
    repeat_limit: int = 3  # identical calls before the notice; one more after it escalates
    tries_of_one_tool: int = 6  # with whatever arguments, before the notice; two more after it escalate
    failed_call_limit: int = 3
    revisions: int = 2
    planner_max_tokens: int = 1200
    answer_max_tokens: int = 1500
    max_answer_chars: int = 2000
    short_of_tokens: int = 10_000  # below this, optional steps are dropped
    planner_timeout_s: float = 20.0
    answer_timeout_s: float = 40.0
    failing_s: float = 55.0  # what a failing call and its next tier may take together, before a person
    only_small: bool = False  # ops have pinned the small model
    wrap_up_max_tokens: int = 250
    limits: Mapping[Surface, Limits] = field(default_factory=lambda: LIMITS)
    prompts: Mapping[str, Prompt] = field(default_factory=dict)  # active overrides of the files
    say: Callable[[str], str] = str  # our own words (words.py) in the customer's language
    house: str = ""  # what the workspace adds to the system prompt: the same for every turn of an installation

    def inside(self) -> frozenset[str]:
        """What no answer may quote: the prompts as they are now."""
        return inside_of(*(self.prompt(name).text for name in NAMES))

    def system(self, name: str) -> str:
        """The whole system prompt of a call that speaks."""
        return self.prompt(name).text + self.house

    def prompt(self, name: str) -> Prompt:
        """The active version of a prompt."""
        return self.prompts.get(name) or prompt(name)
