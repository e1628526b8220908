"""A turn from life, or a replay of it, as an evaluation case: the messages that led to it with people taken out, orders
as the nearest fixtures, and what came of it as what is expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import yaml
from pydantic import ValidationError

from support_agent.agent.toolkit import Status
from support_agent.agent.types import StepKind
from support_agent.evals.cases import load_cases
from support_agent.evals.grade import answered_as
from support_agent.evals.matching import has_parcel, latest_of, nearest, orders_in
from support_agent.evals.redaction import FULL_NAME, PEOPLE, Redactor, parts_of_name
from support_agent.evals.saved import check_yaml
from support_agent.evals.settled import Deed, settled_end
from support_agent.evals.world import NAMES
from support_agent.models import Replay, SavedCase, Step, Turn
from support_agent.runtime.step_json import in_order, of_row
from support_agent.tools.escalation import EscalateToHuman
from tickets.demo.articles import FOLDER
from tickets.models import Action, Conversation, Customer, Escalation, EscalationReason, Message, Order, Plan, User
from tickets.services.audit import audit

Json = dict[str, Any]
MOST_MESSAGES = 6
SETTLED = timedelta(seconds=2)  # an escalation is written with the turn's end
ROLES = {Plan.FREE: "owner", Plan.PLUS: "plus", Plan.ENTERPRISE: "business"}
MADE_UP_PARCEL = "ALD4200000000"
MADE = {"create_ticket": "tickets"}


@dataclass
class Told:
    """The stretch of a conversation that a case tells: turns with their steps, the chosen one last."""

    turn: Turn
    messages: list[Message]
    steps: list[list[Json]]
    outcome: str
    answer: str
    cited: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)  # of the escalations meanwhile, as the desk has them
    played: list[str | Json] | None = None  # of a whole conversation: what is said, and what else is done, in order
    settled: list[Deed] = field(default_factory=list)  # of a whole conversation: what became of its offers

    @property
    def begun(self) -> datetime:
        return self.messages[0].created_at


def case_save(*, turn: Turn, replay: Replay | None, name: str, staff: User) -> SavedCase:
    """Keep it under a free name; without a replay the original is right. Raises ValueError when it cannot be one."""
    return keep(_told(turn, replay), name, staff)


def keep(told: Told, name: str, staff: User) -> SavedCase:
    """The case of what was told, under a free name. Raises ValueError when it cannot be one."""
    turn = told.turn
    wished = slug_of(name) or slug_of(f"{turn.topic or 'turn'}-{turn.conversation.reference}")
    free = free_name(wished)
    text = written(told, free)
    if problem := check_yaml(text, free):
        raise ValueError(problem)
    made = SavedCase.objects.create(name=free, yaml=text, turn=turn, made_by=staff)
    audit(actor=staff, action="savedcase.add", obj=made, changes={"name": ("", free)})
    return made


def slug_of(text: str) -> str:
    """Lower case letters, digits and single dashes, 70 at most."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())
    return "-".join(filter(None, letters.split("-")))[:70].strip("-")


def free_name(wished: str) -> str:
    """The name, or it with the next number where a saved case or one of a file has it."""
    taken = {case.id for case in load_cases()}
    taken |= set(SavedCase.objects.filter(name__startswith=wished).values_list("name", flat=True))
    number, name = 1, wished
    while name in taken:
        number += 1
        name = f"{wished}-{number}"
    return name


def written(told: Told, name: str) -> str:
    """The case as YAML."""
    conversation, begun = told.turn.conversation, told.begun
    customer = _customer_then(conversation, told.turn)
    spoken = [message.text for message in told.messages] + [told.answer]
    calls = [str(step["input"]) for steps in told.steps for step in steps if step["kind"] == StepKind.TOOL_CALL]
    found = orders_in(spoken + calls, begun) or latest_of(customer, begun)
    records = nearest(found.values(), begun, customer)
    redact = Redactor(_others(spoken, found.values()) | _details(conversation.customer), _identifiers(found, records))
    role = ROLES[Plan(customer.plan)] if customer and not _signs_in_later(conversation, begun) else "stranger"
    case: Json = {"id": name, "about": f"From life: {redact(told.turn.topic or 'a turn')}.", "customer": role}
    if names := sorted({records[order.pk] for order in found.values()}):
        case["records"] = names
    case["steps"] = _steps(told, conversation, redact)
    case["expect"] = _expected(told, found, records, redact)
    case |= _limits(told)
    head = "# Saved from life; people and numbers are replaced. Check it before you lean on it.\n"
    return head + yaml.safe_dump([case], sort_keys=False, allow_unicode=True, width=110)


def _told(turn: Turn, replay: Replay | None) -> Told:
    """From the last click or change of records before the turn on, so that the records' state at its start is known."""
    asked = list(Message.objects.filter(turn_id=turn.pk, role=Message.Role.CUSTOMER).order_by("seq"))
    if replay is None and turn.stop_requested:
        raise ValueError("The original was cut short from outside; replay it and save the replay.")
    if not asked:
        raise ValueError("The turn has no message of a customer.")
    earlier = Message.objects.filter(
        conversation=turn.conversation_id, role=Message.Role.CUSTOMER, seq__lt=asked[0].seq, turn_id__isnull=False
    )
    clicked = Action.objects.filter(conversation=turn.conversation_id, decided_at__lt=asked[0].created_at)
    if last := clicked.order_by("-decided_at").values_list("decided_at", flat=True).first():
        earlier = earlier.filter(created_at__gt=last)
    before = list(reversed(earlier.order_by("-seq")[:MOST_MESSAGES]))
    turns = list(dict.fromkeys(message.turn_id for message in before))
    steps = [[of_row(step) for step in in_order(Step.objects.filter(turn=one))] for one in turns]
    handed_over = Escalation.objects.filter(
        conversation=turn.conversation_id, created_at__gte=[*before, *asked][0].created_at
    )
    until = asked[0].created_at if replay else (turn.finished_at or turn.created_at) + SETTLED
    mine = replay.steps if replay else [of_row(step) for step in in_order(Step.objects.filter(turn=turn))]
    said = Message.objects.filter(turn_id=turn.pk, role=Message.Role.ASSISTANT).first()
    answer, sources = (said.text, said.sources) if said else ("", [])
    if replay is not None:
        answer, sources = replay.text, replay.sources
    return Told(
        turn=turn,
        messages=[*before, *asked],
        steps=[*steps, mine],
        outcome=replay.outcome if replay else turn.state,
        answer=answer,
        reasons=list(handed_over.filter(created_at__lte=until).order_by("created_at").values_list("reason", flat=True)),
        cited=[str(source["url"]).strip("/").split("/")[-1] for source in sources],
    )


def _customer_then(conversation: Conversation, turn: Turn) -> Customer | None:
    moment = turn.started_at or turn.created_at
    is_known = conversation.customer and (conversation.verified_at is None or conversation.verified_at <= moment)
    return conversation.customer if is_known else None


def _signs_in_later(conversation: Conversation, begun: datetime) -> bool:
    return conversation.verified_at is not None and conversation.verified_at > begun


def _steps(told: Told, conversation: Conversation, redact: Redactor) -> list[Any]:
    """What the customer writes; one who proved who they are in between does so here too."""
    if told.played is not None:
        return [redact(step) or "(an empty message)" if isinstance(step, str) else step for step in told.played]
    steps: list[Any] = []
    signs_in = _signs_in_later(conversation, told.begun)
    for message in told.messages:
        if signs_in and conversation.verified_at and message.created_at >= conversation.verified_at:
            steps.append({"sign_in": True})
            signs_in = False
        steps.append(redact(message.text) or "(an empty message)")
    return steps


def _expected(told: Told, found: dict[str, Order], records: dict[Any, str], redact: Redactor) -> Json:
    """The outcome, the tools of the chosen turn, and the facts of its answer that the fixtures know too."""
    expect: Json = {}
    reasons = told.reasons or [reason for steps in told.steps if (reason := _reason(steps))]
    mine = told.steps[-1]
    if reasons or told.outcome == "escalated":
        expect |= {"outcome": "escalated", "reason": reasons[0] if reasons else "unsure"}
    else:
        expect["outcome"] = _outcome(mine, told)
    counted = mine if told.played is None else [step for steps in told.steps for step in steps]
    calls = [step for step in counted if step["kind"] == StepKind.TOOL_CALL]
    if tools := list(dict.fromkeys(step["tool"] for step in calls if step["status"] != Status.INVALID_ARGUMENTS)):
        expect["tools"] = tools
    if says := _says(told.answer, found, records):
        expect["says"] = says
    if cites := [slug for slug in told.cited if (FOLDER / f"{slug}.md").exists()]:
        expect["cites"] = cites
    if end := _end(told.steps) | settled_end(told.settled, found, records, redact):
        expect["end"] = end
    return expect


def _outcome(steps: Sequence[Json], told: Told) -> str:
    plans = [step["output"] for step in steps if step["kind"] == StepKind.PLAN]
    return answered_as(
        in_scope=not any(plan.get("in_scope") is False for plan in plans),
        answer=told.answer,
        has_looked=any(step["kind"] == StepKind.TOOL_CALL for step in steps),
    )


def _reason(steps: Sequence[Json]) -> str:
    for step in steps:
        if step["kind"] == StepKind.ESCALATE:
            return str(step["output"].get("reason", "unsure"))
        if step.get("tool") == "escalate_to_human" and step["status"] == Status.SUCCESS:
            return _as_asked(step["input"])
    return ""


def _as_asked(arguments: Json) -> str:
    """The reason as the tool understood it."""
    try:
        return EscalateToHuman.model_validate(arguments).reason
    except ValidationError:
        return str(EscalationReason.ASKED)


def _says(answer: str, found: dict[str, Order], records: dict[Any, str]) -> list[str]:
    """The order numbers, tracking numbers and totals that the answer names, as placeholders."""
    says = []
    for order in dict.fromkeys(found.values()):
        record = records[order.pk]
        if record.startswith("other."):
            continue
        if order.order_number in answer:
            says.append(f"{{{record}}}")
        if order.total > Decimal(1) and f"{order.total:.2f}" in answer:
            says.append(f"{{{record}.total}}")
        if has_parcel(record) and any(
            number in answer for number in order.shipments.values_list("tracking_number", flat=True)
        ):
            says.append(f"{{{record}.tracking}}")
    return says


def _end(all_steps: Sequence[Sequence[Json]]) -> Json:
    """What was made on the way: offers nobody has clicked, and tickets."""
    end: Json = {}
    offers: dict[str, str] = {}
    for step in (step for steps in all_steps for step in steps if step["kind"] == StepKind.TOOL_CALL):
        if step["status"] == Status.PENDING_CONFIRMATION:
            kept = {name: value for name, value in step["input"].items() if name != "reason"}
            offers.setdefault(f"{step['tool']} {sorted(kept.items())}", f"{step['tool']} proposed")
        elif step["status"] == Status.SUCCESS and step["tool"] in MADE:
            end[MADE[step["tool"]]] = end.get(MADE[step["tool"]], 0) + 1
    if offers:
        end["actions"] = list(offers.values())
    return end


def _limits(told: Told) -> Json:
    """Room for twice what it took, where that is more than a case has anyway."""
    steps = sum(len(steps) for steps in told.steps)
    cost = sum(step["cost_usd"] for steps in told.steps for step in steps)
    found: Json = {}
    if cost * 2 > 0.10:
        found["max_cost_usd"] = round(cost * 2, 2)
    if steps * 2 > 16:
        found["max_steps"] = steps * 2
    return found


def _details(customer: Customer | None) -> dict[str, str]:
    """The customer's own details, each with what stands for it."""
    if customer is None:
        return {}
    role = ROLES[Plan(customer.plan)]
    made_up = NAMES[role].split()
    details = {customer.email: "{customer.email}", customer.name: "{customer.name}", customer.phone: "503-555-0100"}
    details |= {part: made_up[min(i, 1)] for i, part in enumerate(parts_of_name(customer.name))}
    lines = [line.strip() for line in customer.shipping_address.splitlines() if line.strip() != customer.name]
    details |= dict(zip(lines, ["12 Fir Street", "Portland, OR 97205", "USA"], strict=False))
    return details


def _others(texts: Iterable[str], orders: Iterable[Order]) -> dict[str, str]:
    """Other customers of ours whose whole names stand in the texts, and where the orders went."""
    named = {name for text in texts for name in FULL_NAME.findall(text)}
    known = sorted(Customer.objects.filter(name__in=named).values_list("name", flat=True)) if named else []
    found = {name: PEOPLE[-1 - place % len(PEOPLE)] for place, name in enumerate(known)}
    for order in orders:
        lines = [line.strip() for line in order.shipping_address.splitlines()]
        found |= dict(zip(lines, ["Robin Fern", "12 Fir Street", "Portland, OR 97205", "USA"], strict=False))
    return found


def _identifiers(found: dict[str, Order], records: dict[Any, str]) -> dict[str, str]:
    """Every way in which the texts write an order's or a parcel's number."""
    known: dict[str, str] = {}
    for spelled, order in found.items():
        known[spelled] = f"{{{records[order.pk]}}}"
        for number in order.shipments.values_list("tracking_number", flat=True):
            known[number] = f"{{{records[order.pk]}.tracking}}" if has_parcel(records[order.pk]) else MADE_UP_PARCEL
    return known
