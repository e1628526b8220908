"""The conversation folded, message by message, into what is asked now. Nothing is remembered between requests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from support_agent.llm.demo import questions
from support_agent.llm.demo.answers import answer_to, fragment, is_bare
from support_agent.llm.demo.situation import Exchange
from support_agent.llm.demo.slots import Slots, extract, order_numbers
from support_agent.llm.demo.tasks import ABOUT_ORDER, Dialogue, Task
from support_agent.llm.demo.understand import Ask, Meaning, understand

CONTROL = frozenset({"human", "legal", "safety", "injection", "about_bot", "foreign"})
SMALL_TALK = frozenset(
    {
        "greeting",
        "thanks",
        "goodbye",
        "nothing",
        "offtopic",
        "about_bot",
        "angry",
        "injection",
        "unsure",
        "confirm",
        "unsolved",
        "foreign",
    }
)
_POINTS_BACK = re.compile(r"^(and|also|but|or|what about|how about)\b|\b(that|it|this|those|they|them|one)\b")
_GOES_ON = re.compile(r"^(and|what about|how about|also|but|or)\b")


def follow(exchanges: Iterable[Exchange]) -> Dialogue:
    """Replays the conversation."""
    state = Dialogue()
    for exchange in exchanges:
        state = _advance(state, exchange)
    return state


def _advance(state: Dialogue, exchange: Exchange) -> Dialogue:
    meaning = understand(exchange.said)
    named_before = order_numbers(exchange.before)
    asked = questions.pending(exchange.before)
    upset = meaning.angry or meaning.intent == "angry"
    state = replace(
        state,
        order=named_before[0] if len(named_before) == 1 else state.order,
        listed=named_before if len(named_before) > 1 or not state.listed else state.listed,
        email=meaning.slots.email or state.email,
        angry=state.angry + upset,
        asked=asked,
        upset_now=upset,
        email_now=bool(meaning.slots.email),
        code_requested=state.code_requested or asked == "code",
    )
    tasks = _tasks(state, meaning, asked)
    named = next((task.slots.orders[0] for task in tasks if task.slots.orders), "")
    query = next((task.text for task in tasks if task.intent == "knowledge"), state.query)
    running = next((task for task in tasks if task.intent not in SMALL_TALK), state.task)
    return replace(state, tasks=tasks, task=running, order=named or state.order, query=query)


def _tasks(state: Dialogue, meaning: Meaning, asked: str) -> tuple[Task, ...]:
    if meaning.intent in CONTROL:
        return (Task(meaning.intent, meaning.text, meaning.slots),)
    if asked and (answer := answer_to(state, meaning, asked)):
        return (answer,)
    if meaning.polarity and (turned := _polarity(state, meaning)):
        return (turned,)
    if (more := fragment(state, meaning)) is not None:
        return (more,)
    if _asks_on(state, meaning):
        return (Task("knowledge", f"{state.query} {meaning.text}", score=0.5),)
    if meaning.asks:
        return tuple(_task_of(state, meaning, ask) for ask in meaning.asks)
    if meaning.angry:
        return (Task("angry", meaning.text),)
    if is_bare(meaning) and (state.order or "order" in meaning.words.split()):
        return (Task("order_info", meaning.text, Slots(orders=_focus(state, meaning.slots))),)
    if meaning.gibberish or is_bare(meaning):
        return (Task("unsure", meaning.text),)
    return (Task("knowledge", meaning.text, meaning.slots, 0.3),)


def _asks_on(state: Dialogue, meaning: Meaning) -> bool:
    """'And to Canada?': a short message that goes on with the question for the help centre."""
    if state.task is None or state.task.intent != "knowledge" or meaning.gibberish or meaning.slots.orders:
        return False
    short = len(meaning.words.split()) <= 7
    goes_on = _GOES_ON.match(meaning.words) and meaning.intent in ("", "knowledge", "account_info", "track")
    return short and bool(goes_on or not meaning.asks)


def _task_of(state: Dialogue, meaning: Meaning, ask: Ask) -> Task:
    words = understand(ask.text).words
    slots = meaning.slots if len(meaning.asks) == 1 else extract(ask.text, words.split())
    slots = slots.over(Slots(orders=meaning.slots.orders))
    if ask.intent in ABOUT_ORDER and not slots.orders:
        slots = replace(slots, orders=_focus(state, slots))
    running = state.task
    if running and running.intent == ask.intent and slots.orders == (running.slots.orders or slots.orders):
        slots = slots.over(running.slots)
    text = ask.text
    if ask.intent == "knowledge" and running and _POINTS_BACK.search(words) and len(words.split()) <= 8:
        text = f"{state.query if running.intent == 'knowledge' else running.intent} {text}"
    return Task(ask.intent, text, slots, ask.score)


def _focus(state: Dialogue, slots: Slots) -> tuple[str, ...]:
    """The order meant when none is named: the one talked about, or the other one when the customer says so."""
    if slots.other:
        others = [number for number in state.listed if number != state.order]
        return (others[0],) if len(others) == 1 else ()
    return (state.order,) if state.order and slots.ordinal is None else ()


def _polarity(state: Dialogue, meaning: Meaning) -> Task | None:
    """A bare yes, no, why or 'tell me more' outside of any question."""
    task = state.task
    if task is None:
        return Task("greeting", meaning.text) if meaning.polarity in ("yes", "no") and not state.asked else None
    if meaning.polarity in ("why", "more"):
        orders = task.slots.orders or ((state.order,) if state.order else ())
        if task.intent in ABOUT_ORDER and orders:
            after = task.after or task.intent
            return Task("why", meaning.text, replace(task.slots, orders=orders), after=after)
        return Task("knowledge", state.query, score=0.5, after="knowledge") if state.query else None
    return Task("thanks" if meaning.polarity == "yes" else "nothing", meaning.text)
