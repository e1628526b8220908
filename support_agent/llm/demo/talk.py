"""Handlers that need no record: small talk, the help centre, handing over, and what is not ours to answer."""

from __future__ import annotations

from typing import Any

from support_agent.llm.demo import questions, wording
from support_agent.llm.demo.desk import Call, Desk
from support_agent.llm.demo.extract import answer
from support_agent.llm.demo.query import search_query
from support_agent.llm.demo.tasks import Task
from support_agent.llm.demo.understand import understand

SCOPE = "I can help with orders, deliveries, returns, refunds, billing, your account and our products"
FIXED = {
    "greeting": f"Hello. {SCOPE}. What can I do for you?",
    "thanks": "Glad to help. Is there anything else?",
    "goodbye": "Goodbye, and thank you for writing.",
    "nothing": "All right. Tell me if there is anything else.",
    "about_bot": (
        f"I am an AI assistant, here in its demo form, not a person. {SCOPE}; "
        "a colleague can take over whenever you like."
    ),
    "offtopic": f"That is outside of what I can help with here. {SCOPE}.",
    "injection": f"I cannot do that. {SCOPE}.",
    "foreign": f"I am sorry, I only understand English so far. {questions.OFFER_PERSON}",
    "angry": (
        "I am sorry that this has been so frustrating. Tell me what happened, with the order number if there is one, "
        "and I will look into it."
    ),
}
BLIND = (
    "I am the demo model and cannot see images. Could you tell me in words what it shows? Or say “person”, and a "
    "colleague looks at it."
)
UNSOLVED = "I am sorry that this did not solve it."
DECIDED = {
    "done": "It is done.",
    "declined": "It was declined, so nothing has changed.",
    "expired": "The offer has expired, so nothing has changed. Tell me if I should prepare it again.",
    "awaiting_staff": "You have confirmed it; a colleague has to approve it now.",
    "failed": f"It did not work. {questions.OFFER_PERSON}",
    "undone": "It was taken back, so everything is as before.",
}
LESSER = "Our search does not work fully at the moment, so this may be incomplete."
CLOSE = 0.65  # a search score below this is told as the closest, not as the answer
EMERGENCY = "If anyone is hurt or in danger, call your local emergency number first."
SORRY = "I am sorry about the trouble."
TEAMS = {"refund": "billing", "invoice": "billing", "return_status": "billing"}


def fixed(desk: Desk, task: Task) -> str:
    return FIXED[task.intent]


def unsolved(desk: Desk, task: Task) -> str:
    if UNSOLVED in desk.situation.exchanges[-1].before:
        return hand_over(desk, task, "unsure", "The help centre's advice did not solve it")
    return f"{UNSOLVED} {questions.OFFER_PERSON}"


def confirm(desk: Desk, task: Task) -> str:
    """Words about a proposal: only the customer's click decides it, and only the server knows how it ended."""
    if decided := DECIDED.get(desk.situation.action_state):
        return decided
    if understand(task.text).polarity == "no":
        return "All right, nothing is changed. You can dismiss the card."
    return f"I cannot do that for you: please {questions.CONFIRM} on the card yourself. Nothing happens before that."


def knowledge(desk: Desk, task: Task) -> str:
    """An answer in the help centre's own words, with its sources."""
    if not desk.offers("search_knowledge_base"):
        return f"I cannot look that up from here. {questions.OFFER_PERSON}"
    query = search_query(task.text)
    found = desk.results(Call("search_knowledge_base", {"query": query}))[0]
    if found.status == "not_found":
        return unsure(desk, task)
    rows = found.data.get("results") or []
    if found.status != "success" and not rows:
        return desk.advise(found)
    if not rows:
        return unsure(desk, task)
    if found.status == "degraded":
        return f"{LESSER} {answer(f'{task.text} {query}', rows) or _page(rows)}"
    if task.after == "knowledge":
        more = answer(task.text, rows, desk.situation.exchanges[-1].before)
        return more or f"That is all that our help centre says about it. {questions.OFFER_PERSON}"
    said = answer(f"{task.text} {query}", rows)
    if not said:
        return _page(rows)
    return said if float(rows[0].get("score") or 1) >= CLOSE else f"This is the closest I found: {said}"


def _page(rows: list[dict[str, Any]]) -> str:
    return f"This page of our help centre covers it: {rows[0].get('title')} [{rows[0].get('n')}]."


def unsure(desk: Desk, task: Task) -> str:
    """One question to make it clear; the second time a person."""
    if desk.dialogue.asked == "again":
        return hand_over(desk, task, "unsure", "The assistant could not understand the request twice")
    if task.intent == "knowledge":
        nothing = "I did not find anything about that in our help centre."
        return f"{nothing} {questions.SAY_AGAIN}, or tell me which order or product it is about?"
    return f"I did not quite get that. {questions.SAY_AGAIN}, for example what you ordered and what you need?"


def human(desk: Desk, task: Task) -> str:
    return hand_over(desk, task, "asked", "The customer asks for a person")


def legal(desk: Desk, task: Task) -> str:
    return hand_over(desk, task, "legal", "The customer mentions legal steps")


def safety(desk: Desk, task: Task) -> str:
    """No advice of ours before a person's."""
    return f"{EMERGENCY} {hand_over(desk, task, 'safety', 'Somebody may be hurt or in danger')}"


def hand_over(desk: Desk, task: Task, reason: str, summary: str) -> str:
    """Escalates at once, with the newest words as the summary."""
    if not desk.offers("escalate_to_human"):
        return "Please use 'Talk to a person' in this chat, and a colleague takes over."
    if desk.situation.waiting:
        return f"A colleague has been asked already. {_answers(desk.situation.person_answers)}".strip()
    said = " / ".join(exchange.said[:300] for exchange in desk.situation.exchanges[-3:])
    arguments = {"reason": reason, "summary": f"{summary}. Their newest words: {said}"}
    if team := TEAMS.get(task.intent):
        arguments["suggested_team"] = team
    found = desk.results(Call("escalate_to_human", arguments))[0]
    if found.status != "success":
        return f"{wording.trouble('escalate_to_human', found.data)} Please use 'Talk to a person' in this chat."
    when = str((found.data.get("escalation") or {}).get("when") or "").strip()
    return f"I have handed this over, with the whole conversation. {_answers(when)}".strip()


def _answers(when: str) -> str:
    """'within 15 minutes' or 'now: a person is already here' as a sentence."""
    if not when:
        return ""
    return "A colleague is already here." if when.startswith("now") else f"A colleague answers {when.rstrip('.')}."
