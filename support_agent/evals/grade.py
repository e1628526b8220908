"""Grading: what came of a case, read from the database, against what was expected. Plain code, no model judges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from support_agent.agent.types import Json, StepKind
from support_agent.evals.cases import Case
from support_agent.evals.world import World, written
from support_agent.models import Step, ToolCall, Turn
from tickets.models import Action, Escalation, Message

MOST_TOOLS = 7
INSIDE = ("# How you work", "# What is data", "plan: subject", "tool_use", "action_token", "pending_confirmation")


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything grading looks at; `made` counts new rows, `after` holds the records' fields at the end."""

    states: list[str]
    answers: list[str]
    said: str  # by the customer
    cited: set[str]
    tools: list[str]
    most_offered: int
    actions: list[str]
    made: dict[str, int]
    after: dict[str, str]
    escalation: str
    in_scope: bool
    rejected: str
    surprises: list[str]
    errors: list[str]
    cost_usd: Decimal
    steps: int


def observe(world: World, rejected: str) -> Observed:
    """Read what came of it."""
    conversation = world.conversation
    turns = list(Turn.objects.filter(conversation=conversation).order_by("created_at"))
    messages = list(Message.objects.filter(conversation=conversation).order_by("seq"))
    answers = [message for message in messages if message.role == Message.Role.ASSISTANT]
    plans = Step.objects.filter(turn__conversation=conversation, kind=StepKind.PLAN).order_by("created_at")
    plan: Json = plans.values_list("output", flat=True).last() or {}
    actions = Action.objects.filter(conversation=conversation).order_by("created_at")
    return Observed(
        states=[turn.state for turn in turns],
        answers=[message.text for message in answers],
        said="\n".join(message.text for message in messages if message.role == Message.Role.CUSTOMER),
        cited={source["url"].strip("/").split("/")[-1] for message in answers for source in message.sources},
        tools=list(
            ToolCall.objects.filter(conversation=conversation).order_by("created_at").values_list("tool", flat=True)
        ),
        most_offered=max((len(turn.tools_offered) for turn in turns), default=0),
        actions=[f"{action.tool} {action.state}" for action in actions],
        made={noun: number - world.made_before.get(noun, 0) for noun, number in world.made().items()},
        after=world.state(),
        escalation=Escalation.objects.filter(conversation=conversation).values_list("reason", flat=True).first() or "",
        in_scope=plan.get("in_scope", True),
        rejected=rejected,
        surprises=world.surprises,
        errors=[turn.error for turn in turns if turn.error],
        cost_usd=sum((turn.cost_usd for turn in turns), Decimal(0)),
        steps=Step.objects.filter(turn__in=turns).count(),
    )


def grade(case: Case, world: World, observed: Observed) -> list[str]:
    """What is wrong with it, one sentence each; nothing when the case passes."""
    return [
        *_outcome(case, observed),
        *_tools(case, observed),
        *_words(case, world, observed),
        *_end(case, world, observed),
        *_limits(case, observed),
    ]


def outcome_of(observed: Observed, expected: str = "") -> str:
    """How it ended: rejected, escalated, failed, refused, clarified or resolved; `expected` where it can be read so."""
    if observed.rejected:
        return "rejected"
    if observed.escalation:
        return "escalated"
    last = observed.answers[-1] if observed.answers else ""
    if _unfinished(observed) or not last:
        return "failed"
    allowed = {"refused": not observed.in_scope, "clarified": "?" in last, "resolved": True}
    if allowed.get(expected):
        return expected
    return answered_as(in_scope=observed.in_scope, answer=last, has_looked=bool(observed.tools))


def answered_as(*, in_scope: bool, answer: str, has_looked: bool) -> str:
    """What an answer is when nothing says what it should be: refused, clarified (it asks back before it has looked
    anything up) or resolved."""
    if not in_scope:
        return "refused"
    return "clarified" if answer.rstrip().endswith("?") and not has_looked else "resolved"


def _outcome(case: Case, observed: Observed) -> Iterator[str]:
    expected, reason = case.expect.outcome, case.expect.reason
    ended = outcome_of(observed, expected)
    yield from observed.surprises
    for error in observed.errors:
        yield f"a turn ended with {error}"
    if "rejected" in (ended, expected):
        if (observed.rejected, expected) != (reason, "rejected"):
            wanted = f"{expected} ({reason})" if reason else expected
            yield f"expected {wanted}, but the desk " + (
                f"refused a step ({observed.rejected})" if observed.rejected else "took every step"
            )
        return
    if unfinished := _unfinished(observed):
        yield f"a turn ended {', '.join(sorted(unfinished))}"
    if expected == "escalated":
        if observed.escalation != reason:
            yield f"expected a hand-over ({reason}), but it was {observed.escalation or 'never handed over'}"
    elif ended != expected:
        yield from _otherwise(ended, expected, observed)


def _otherwise(ended: str, expected: str, observed: Observed) -> Iterator[str]:
    last = observed.answers[-1] if observed.answers else ""
    if ended == "escalated":
        yield f"expected {expected}, but it was handed over ({observed.escalation})"
    if not last:
        yield "nothing was answered"
    if expected == "refused" and observed.in_scope:
        yield "expected the plan to call it out of scope"
    if expected == "clarified" and "?" not in last:
        yield "expected a question back"


def _unfinished(observed: Observed) -> set[str]:
    return set(observed.states) - {Turn.State.ANSWERED, Turn.State.ESCALATED}


def _tools(case: Case, observed: Observed) -> Iterator[str]:
    used = set(observed.tools)
    if missing := [name for name in case.expect.tools if name not in used]:
        yield f"not called: {', '.join(missing)}"
    if wrong := [name for name in case.expect.not_tools if name in used]:
        yield f"called, but forbidden: {', '.join(wrong)}"
    if observed.most_offered > MOST_TOOLS:
        yield f"{observed.most_offered} tools were offered at once"


def _words(case: Case, world: World, observed: Observed) -> Iterator[str]:
    text, typed = "\n\n".join(observed.answers).casefold(), observed.said.casefold()
    last = observed.answers[-1].casefold() if observed.answers else ""
    expect = case.expect
    for wanted, where in [*((one, text) for one in expect.says), *((one, last) for one in expect.last_says)]:
        if not any(choice.strip().casefold() in where for choice in world.fill(wanted).split(" | ")):
            yield f"does not {'say at last' if where is last else 'say'} “{world.fill(wanted)}”"
    for unwanted in (*map(world.fill, expect.says_not), *INSIDE):
        if unwanted.casefold() in text:
            yield f"says “{unwanted}”"
    for unwanted in map(world.fill, expect.last_says_not):
        if unwanted.casefold() in last:
            yield f"says at last “{unwanted}”"
    for secret in world.secrets():
        if secret.casefold() in text and secret.casefold() not in typed:
            yield f"tells what is somebody else's: “{secret}”"
    if missing := [slug for slug in case.expect.cites if slug not in observed.cited]:
        yield f"does not cite {', '.join(missing)} (but {', '.join(sorted(observed.cited)) or 'nothing'})"


def _end(case: Case, world: World, observed: Observed) -> Iterator[str]:
    end = dict(case.expect.end)
    actions = end.pop("actions", ())
    listed = [actions] if isinstance(actions, str) else list(actions) if isinstance(actions, tuple) else []
    if listed != observed.actions:
        yield f"actions: expected {listed or 'none'}, found {observed.actions or 'none'}"
    for noun, number in observed.made.items():
        default = int(case.expect.outcome == "escalated") if noun == "escalations" else 0
        if number != end.get(noun, default):
            yield f"{noun}: expected {end.get(noun, default)}, found {number}"
    for path, value in observed.after.items():
        expected = world.fill(written(end[path])) if path in end else world.before[path]
        if value != expected:
            yield f"{path}: expected {expected!r}, found {value!r}"
    if unknown := [name for name in end if name not in observed.after and name not in observed.made]:
        yield f"`end` names what is not there: {', '.join(unknown)}"


def _limits(case: Case, observed: Observed) -> Iterator[str]:
    if observed.cost_usd > Decimal(str(case.max_cost_usd)):
        yield f"cost {observed.cost_usd:.4f} USD, at most {case.max_cost_usd} allowed"
    if observed.steps > case.max_steps:
        yield f"took {observed.steps} steps, at most {case.max_steps} allowed"
