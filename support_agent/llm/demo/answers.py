"""Replies to the assistant's own questions and offers, and fragments that say more about the running task."""

from __future__ import annotations

import re
from dataclasses import replace

from support_agent.llm.demo import lexicon
from support_agent.llm.demo.slots import Slots
from support_agent.llm.demo.tasks import ABOUT_ACCOUNT, ABOUT_ORDER, Dialogue, Task
from support_agent.llm.demo.understand import SURE, Meaning

_FILLER = re.compile(
    r"^(ORDER|SKU|EMAIL|MONEY|order|number|no|it|is|i|meant|mean|the|one|ones|sorry|its|this|that|for|yes|my|was|a|an|please|"
    r"ok|and|what|about|then|but|other|first|second|third|fourth|last|latest|newest|oldest|recent|both|all|of|them|so|"
    r"hi|hello|with|not|green|blue|rust|black|red|orange|forest|slate|small|medium|large|xl|size|colour|in|only|just|"
    r"to|also|whole|entire|everything|complete|full|from|me|two|three)$"
)
_LIKE_A_REASON = frozenset({"return", "exchange", "refund", "problem", "unsolved", "angry"})
_DONE = re.compile(
    r"\b(did it|is it|has it|was it|all) (now )?(work|done|go|gone|ok|been|cancelled|returned|refunded|changed)"
    r"|\bconfirmed\b"
)
_CODE = re.compile(r"\b(done|code|entered|verified|form|did it|typed)\b")


def is_bare(meaning: Meaning) -> bool:
    """Only numbers, items, colours and filler words: no wish of its own."""
    words, items = meaning.words.split(), lexicon.data("lexicon")["items"]
    return bool(words) and all(_FILLER.match(word) or word in items for word in words)


CHANGES = frozenset({"cancel", "return", "exchange", "refund", "problem"})


def answer_to(state: Dialogue, meaning: Meaning, asked: str) -> Task | None:
    """The message as an answer to the question left open, or None when it is something else."""
    task, slots = state.task, meaning.slots
    if asked.startswith("offer_"):
        return _to_offer(state, meaning, asked.removeprefix("offer_"))
    if asked == "confirm":
        return Task("confirm", meaning.text) if meaning.polarity in ("yes", "no") or _asks_done(meaning) else None
    if asked == "again" or task is None:
        return None
    if asked in ("email", "code", "ticket_email"):
        return replace(task, slots=slots.over(task.slots)) if _about_address(meaning, asked) else None
    if asked == "which_order":
        if meaning.intent in CHANGES and meaning.intent != task.intent and slots.orders and meaning.score >= SURE:
            return None  # the order is named with another wish: "cancel AP-104301"
        orders = slots.orders or picked_order(state, slots, meaning)
        named = orders or slots.items or slots.colours
        return replace(task, slots=replace(slots, orders=orders, reason="").over(task.slots)) if named else None
    if is_bare(meaning) and asked not in ("wish", "field", "value"):
        return replace(task, slots=_focused(state, slots).over(task.slots))
    if _changes_subject(meaning, asked):
        return None
    if meaning.polarity == "no" and asked not in ("reason", "refund_reason"):
        return Task("nothing", meaning.text)
    return replace(task, slots=_focused(state, _filled(asked, meaning).over(task.slots)))


def fragment(state: Dialogue, meaning: Meaning) -> Task | None:
    """'The blue one', 'AP-104301', 'no, the other order': more about the running task, or an order on its own."""
    if meaning.gibberish or not is_bare(meaning):
        return None
    task, slots = state.task, meaning.slots
    named = slots.orders or picked_order(state, slots, meaning)
    goes_on = (
        task
        and task.intent in ABOUT_ORDER
        and (named or slots.items or slots.colours or slots.everything or slots.money)
    )
    if task and goes_on:
        return replace(task, slots=replace(slots, orders=named).over(task.slots))
    if named:
        return Task("order_info", meaning.text, replace(slots, orders=named))
    if slots.email:
        known = task if task and task.intent in ABOUT_ACCOUNT else Task("verify", meaning.text)
        return replace(known, slots=slots.over(known.slots))
    return None


def picked_order(state: Dialogue, slots: Slots, meaning: Meaning) -> tuple[str, ...]:
    """An order chosen from those listed: 'the first one', 'the other one', or yes to the only one."""
    if slots.ordinal is not None and state.listed:
        return (state.listed[min(slots.ordinal, len(state.listed) - 1)],)
    if slots.other:
        others = [number for number in state.listed if number != state.order]
        return (others[0],) if len(others) == 1 else ()
    return state.listed if len(state.listed) == 1 and meaning.polarity == "yes" else ()


def _to_offer(state: Dialogue, meaning: Meaning, what: str) -> Task | None:
    if meaning.polarity == "no":
        return Task("nothing", meaning.text)
    if meaning.polarity != "yes":
        return None
    if what in ("human", "ticket"):
        said = state.query or (state.task.text if state.task else meaning.text)
        return Task(what, said, Slots(email=state.email, reason=said), accepted=True)
    older = state.task.slots if state.task else Slots()
    return Task(what, meaning.text, _focused(state, Slots()).over(older), accepted=True)


def _changes_subject(meaning: Meaning, asked: str) -> bool:
    """Whether the message wants something else than to answer: a question, small talk, another matter altogether."""
    if meaning.slots.reason and not meaning.question:
        return False
    elsewhere = meaning.question or meaning.intent in ("goodbye", "greeting", "cancel", "thanks")
    if meaning.score > 0.5 and elsewhere and not meaning.slots.items:
        return True
    return meaning.score > 0.6 and asked in ("reason", "refund_reason") and meaning.intent not in _LIKE_A_REASON


def _filled(asked: str, meaning: Meaning) -> Slots:
    """The slots of an answer, with its words in the place that the question was about."""
    slots, text = meaning.slots, meaning.text
    match asked:
        case "reason" | "refund_reason" | "ticket_about":
            return Slots(reason=text, orders=slots.orders, money=slots.money)
        case "kind":
            return replace(slots, reason=text, wish=slots.wish)
        case "value":
            return replace(slots, value=slots.value or text)
        case "wish":
            return replace(slots, kind="", reason="")
        case _:
            return slots


def _asks_done(meaning: Meaning) -> bool:
    return bool(_DONE.search(meaning.words))


def _focused(state: Dialogue, slots: Slots) -> Slots:
    return replace(slots, orders=slots.orders or ((state.order,) if state.order else ()))


def _about_address(meaning: Meaning, asked: str) -> bool:
    """An address, a word about the code, or an attempt at either that is nothing else."""
    if meaning.slots.email or meaning.intent == "verify":
        return True
    if asked == "code":
        return meaning.polarity == "yes" or _says_code(meaning)
    return "@" in meaning.text or (not meaning.asks and not meaning.polarity and not meaning.question)


def _says_code(meaning: Meaning) -> bool:
    return bool(_CODE.search(meaning.words)) or bool(re.fullmatch(r"\W*\d{6}\W*", meaning.text))
