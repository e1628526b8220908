"""The conversation folded, message by message, into what is asked now. Nothing is remembered between requests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from support_agent.llm.demo import questions
from support_agent.llm.demo.situation import Exchange
from support_agent.llm.demo.slots import ITEMS, Slots, extract, order_numbers
from support_agent.llm.demo.understand import Ask, Meaning, understand

CONTROL = frozenset({"human", "legal", "injection", "about_bot", "foreign"})
ABOUT_ORDER = frozenset({"track", "order_info", "cancel", "return", "exchange", "refund", "return_status", "problem"})
_FILLER = re.compile(
    r"^(ORDER|SKU|EMAIL|order|number|no|it|is|i|meant|mean|the|one|ones|sorry|its|this|that|for|yes|my|was|a|an|please|ok|and|what|"
    r"about|then|but|other|first|second|third|last|latest|newest|oldest|recent|both|all|of|them|so|hi|hello|with|not|"
    r"green|blue|rust|black|red|orange|forest|slate|small|medium|large|xl|size|colour|in|only|just|to|also)$"
)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do now. `text` is what to search for or to write down."""

    intent: str
    text: str
    slots: Slots = Slots()
    score: float = 1.0
    accepted: bool = False  # the customer said yes to the assistant's offer of it


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Where the conversation stands after the newest message."""

    tasks: tuple[Task, ...] = ()
    order: str = ""  # the order in focus
    listed: tuple[str, ...] = ()  # the orders the assistant named last
    email: str = ""
    query: str = ""  # the last question for the help centre
    angry: int = 0
    asked: str = ""  # the question the newest message could answer
    upset_now: bool = False
    code_requested: bool = False

    @property
    def task(self) -> Task | None:
        return self.tasks[0] if self.tasks else None


def follow(exchanges: Iterable[Exchange]) -> Dialogue:
    """Replays the conversation."""
    state = Dialogue()
    for exchange in exchanges:
        state = _advance(state, exchange)
    return state


def _advance(state: Dialogue, exchange: Exchange) -> Dialogue:
    meaning = understand(exchange.said)
    listed = order_numbers(exchange.before) or state.listed
    asked = questions.pending(exchange.before)
    upset = meaning.angry or meaning.intent == "angry"
    focus = listed[0] if len(order_numbers(exchange.before)) == 1 else state.order
    state = replace(
        state,
        order=focus,
        listed=listed,
        email=meaning.slots.email or state.email,
        angry=state.angry + upset,
        asked=asked,
        upset_now=upset,
        code_requested=state.code_requested or asked == "code",
    )
    tasks = _tasks(state, meaning, asked)
    named = next((task.slots.orders[0] for task in tasks if task.slots.orders), "")
    query = next((task.text for task in tasks if task.intent == "knowledge"), state.query)
    return replace(state, tasks=tasks, order=named or state.order, query=query)


def _tasks(state: Dialogue, meaning: Meaning, asked: str) -> tuple[Task, ...]:
    if meaning.intent in CONTROL:
        return (Task(meaning.intent, meaning.text, meaning.slots),)
    if asked and (answer := _answer(state, meaning, asked)):
        return (answer,)
    if meaning.polarity and (turned := _polarity(state, meaning)):
        return (turned,)
    if (more := _fragment(state, meaning)) is not None:
        return (more,)
    if meaning.asks:
        return tuple(_task_of(state, meaning, ask) for ask in meaning.asks)
    words = [word for word in meaning.words.split() if not _FILLER.match(word)]
    if meaning.gibberish or not words:
        return (Task("unsure", meaning.text),)
    if state.task and state.task.intent == "knowledge" and len(words) <= 5:
        return (Task("knowledge", f"{state.query} {meaning.text}", score=0.5),)
    return (Task("knowledge", meaning.text, meaning.slots, 0.3),)


def _task_of(state: Dialogue, meaning: Meaning, ask: Ask) -> Task:
    slots = extract(ask.text, understand(ask.text).words.split()) if len(meaning.asks) > 1 else meaning.slots
    slots = slots.over(Slots(orders=meaning.slots.orders))
    if ask.intent in ABOUT_ORDER and not slots.orders:
        slots = replace(slots, orders=_focus(state, slots))
    text = ask.text
    if (
        ask.intent == "knowledge"
        and state.query
        and re.match(r"(and|what about|how about|also|but)\b", understand(text).words)
    ):
        text = f"{state.query} {text}"
    return Task(ask.intent, text, slots, ask.score)


def _focus(state: Dialogue, slots: Slots) -> tuple[str, ...]:
    """The order meant when none is named: the one talked about, or the other one when the customer says so."""
    if slots.other:
        others = [number for number in state.listed if number != state.order]
        return (others[0],) if len(others) == 1 else ()
    return (state.order,) if state.order else ()


def _answer(state: Dialogue, meaning: Meaning, asked: str) -> Task | None:
    """The message as an answer to the assistant's own question, or None when it is something else."""
    task, slots = state.task, meaning.slots
    if asked.startswith("offer_"):
        return _offer(state, meaning, asked.removeprefix("offer_"))
    if asked == "again" or task is None:
        return None
    if asked in ("email", "code", "ticket_email"):
        return (
            replace(task, slots=slots.over(task.slots))
            if slots.email or asked == "code" and _about_code(meaning)
            else None
        )
    if asked == "which_order":
        orders = slots.orders or _pick_order(state, slots, meaning)
        if orders or slots.items:
            return replace(task, slots=replace(slots, orders=orders, reason="").over(task.slots))
        return None
    if (
        meaning.score > 0.5
        and (meaning.question or meaning.intent in ("goodbye", "greeting", "cancel"))
        and not slots.items
    ):
        return None
    if meaning.polarity == "no" and asked not in ("reason", "refund_reason"):
        return Task("nothing", meaning.text)
    filled = {
        "reason": replace(slots, reason=meaning.text),
        "refund_reason": replace(slots, reason=meaning.text),
        "value": replace(slots, value=slots.value or meaning.text),
        "kind": replace(slots, reason=meaning.text),
        "ticket_about": replace(slots, reason=meaning.text),
        "wish": replace(slots, kind="", wish=slots.wish or ("replacement" if "replac" in meaning.words else "")),
    }.get(asked, slots)
    return replace(task, slots=filled.over(task.slots))


def _pick_order(state: Dialogue, slots: Slots, meaning: Meaning) -> tuple[str, ...]:
    if slots.ordinal is not None and state.listed:
        at = min(slots.ordinal, len(state.listed) - 1)
        return (state.listed[at],)
    if slots.other:
        return _focus(state, slots)
    return state.listed if len(state.listed) == 1 and meaning.polarity == "yes" else ()


def _offer(state: Dialogue, meaning: Meaning, what: str) -> Task | None:
    if meaning.polarity == "no":
        return Task("nothing", meaning.text)
    if meaning.polarity != "yes":
        return None
    if what in ("human", "ticket"):
        said = state.query or (state.task.text if state.task else meaning.text)
        return Task(what, said, Slots(email=state.email, reason=said), accepted=True)
    older = state.task.slots if state.task else Slots()
    return Task(what, meaning.text, Slots(orders=(state.order,) if state.order else ()).over(older), accepted=True)


def _polarity(state: Dialogue, meaning: Meaning) -> Task | None:
    """A bare yes, no, why or 'tell me more' outside of any question."""
    if meaning.polarity in ("why", "more") and state.task:
        if state.task.intent in ABOUT_ORDER and (state.order or state.task.slots.orders):
            orders = state.task.slots.orders or (state.order,)
            return Task("why", meaning.text, replace(state.task.slots, orders=orders))
        return Task("knowledge", f"{meaning.text} {state.query}".strip(), score=0.5) if state.query else None
    return Task("thanks" if meaning.polarity == "yes" else "nothing", meaning.text) if state.task else None


def _fragment(state: Dialogue, meaning: Meaning) -> Task | None:
    """Only numbers, items or colours: more about the running task, or about an order on its own."""
    words = meaning.words.split()
    if meaning.gibberish or any(not _FILLER.match(word) and word not in ITEMS for word in words):
        return None
    slots = meaning.slots
    named = slots.orders or _pick_order(state, slots, meaning)
    if (
        state.task
        and (state.task.intent in ABOUT_ORDER or named)
        and (named or slots.items or slots.colours or slots.email)
    ):
        intent = state.task.intent if state.task.intent in ABOUT_ORDER else "order_info"
        return replace(state.task, intent=intent, slots=replace(slots, orders=named).over(state.task.slots))
    if named:
        return Task("order_info", meaning.text, replace(slots, orders=named))
    if slots.email and state.task and state.task.intent not in ("greeting", "thanks"):
        return replace(state.task, slots=slots.over(state.task.slots))
    return None


def _about_code(meaning: Meaning) -> bool:
    return (
        meaning.intent == "verify"
        or meaning.polarity == "yes"
        or bool(
            re.search(r"\b(done|code|entered|verified|form|did it)\b|^\W*\d{6}\W*$", f"{meaning.words} {meaning.text}")
        )
    )
