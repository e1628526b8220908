"""What staff want for themselves: a summary of a conversation or a draft of a reply, from the lines given as data."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass, replace
from typing import Any

from support_agent.llm.demo import questions
from support_agent.llm.demo.dialogue import follow
from support_agent.llm.demo.planner import LABELS
from support_agent.llm.demo.situation import Exchange, Situation
from support_agent.llm.demo.tasks import ABOUT_ORDER, Dialogue, Task

Json = dict[str, Any]
READS = frozenset(
    {"track", "order_info", "orders_list", "return_status", "why", "account_info", "invoice", "ticket_status"}
) | {"knowledge"}
_WISH = re.compile(r"\AWanted: an? (summary of this conversation|draft of the reply|article for the help centre)\b")
_CITATION = re.compile(r"\s?\[\d{1,2}\]")
QUOTED = 160
URGENT = {"safety": "safety", "legal": "law"}
WANTS = {  # where the planner's words for a wish are the assistant's, not the customer's
    "knowledge": "know something our help centre may tell",
    "order_info": "know how their order stands",
    "orders_list": "see their orders",
    "return_status": "know how far their return or refund is",
    "why": "know why their order is where it is",
    "invoice": "have their bills explained",
    "account_info": "know what their account says",
    "ticket_status": "know how their ticket stands",
    "verify": "prove who they are",
    "human": "talk to a person",
    "legal": "raise a legal matter",
    "safety": "report a danger",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """`kind` is summary, draft or article; `known` is who takes part, `lines` the conversation, oldest first."""

    kind: str
    known: Json
    lines: tuple[Json, ...]


def read_wish(text: str) -> Wish | None:
    """The wish a task's text states, or None for any other text."""
    found = _WISH.match(text)
    if found is None:
        return None
    rows = [row for row in map(_row, text.splitlines()[1:]) if row]
    known = rows[0] if rows and "by" not in rows[0] else {}
    return Wish(found[1].partition(" ")[0], known, tuple(row for row in rows if "by" in row))


def summary(wish: Wish) -> str:
    """Who, what, how far, what is open; quoted where it is the customer's claim."""
    customer = [line for line in wish.lines if line["by"] == "customer" and line.get("text")]
    ours = [line for line in wish.lines if line["by"] in ("assistant", "staff") and line.get("text")]
    who = str(wish.known.get("customer") or "A visitor who is not verified")
    plan = f" ({wish.known['plan']})" if wish.known.get("plan") else ""
    if not customer:
        return f"{who}{plan} has not written anything yet."
    said = [f"{who}{plan} {_matter(wish)}. They wrote first: “{_short(customer[0])}”"]
    if len(customer) > 1:
        said.append(f"Their newest words: “{_short(customer[-1])}”")
    if ours:
        by = f"our colleague {ours[-1].get('name', '')}".strip() if ours[-1]["by"] == "staff" else "the assistant"
        said.append(f"The last answer, by {by}: “{_short(ours[-1])}”")
    said += [
        f"{line['action'].rstrip('.')}: {str(line.get('state', '')).replace('_', ' ')}."
        for line in wish.lines
        if "action" in line
    ][-3:]
    said.append(_next(wish))
    return " ".join(said)


def article(wish: Wish) -> str:
    """A skeleton, made of what was asked and answered, word for word: whoever leads writes the article."""
    asked = [str(line["text"]) for line in wish.lines if line["by"] == "customer" and line.get("text")]
    answered = [str(line["text"]) for line in wish.lines if line["by"] == "staff" and line.get("text")]
    near = [str(line.get("title", "")) for line in wish.lines if line["by"] == "article"]
    title = textwrap.shorten(asked[0].rstrip("?!. "), 100, placeholder=" …") if asked else "new article"
    parts = [
        f"# {title[:1].upper()}{title[1:]}",
        "Summary: A skeleton by the demo model, to be written by a person.",
        "*The demo model writes no articles. It quotes what customers asked and what your colleagues answered.*",
        "## What customers asked",
        "\n".join(f"- {text}" for text in asked),
        "## What your colleagues answered",
        "\n\n".join("\n".join(f"> {line}".rstrip() for line in text.splitlines()) for text in answered)
        or "Nobody has answered this yet: the answer is yours to write.",
    ]
    if near:
        parts += ["## Articles that are near", "\n".join(f"- {title}" for title in near)]
    return "\n\n".join(parts)


def draft_situation(situation: Situation, wish: Wish) -> tuple[Situation, Dialogue]:
    """The conversation as if its customer had just written, and of its wishes those that reading can answer."""
    inner = replace(situation, exchanges=_exchanges(wish), waiting=False, action_state="")
    dialogue = follow(inner.exchanges)
    tasks = [_readable(task) for task in dialogue.tasks]
    return inner, replace(dialogue, tasks=tuple(task for task in tasks if task), upset_now=False)


def draft(wish: Wish, body: str) -> str:
    """The reply around what was found out: greeting, answer, what happens next, name."""
    name = str(wish.known.get("customer") or "").split(" ")[0]
    body = body.replace(questions.OFFER_PERSON, "").strip()
    sorry = "I am sorry about the trouble. " if any(_upset(line) for line in wish.lines[-4:]) else ""
    matter = "I have read the whole conversation and am looking into it now; you will hear from me here."
    parts = [
        f"Hello {name}," if name else "Hello,",
        f"{sorry}{body}" if body else f"{sorry}Thank you for your message. {matter}",
        "Does this answer it, or is there anything left that I should look at?" if body else "",
        str(wish.known.get("staff") or ""),
    ]
    return "\n\n".join(part for part in parts if part)


def _readable(task: Task) -> Task | None:
    """A wish to change something becomes a look at the order it is about."""
    if task.intent in READS:
        return task
    return replace(task, intent="order_info") if task.intent in ABOUT_ORDER and task.slots.orders else None


def _exchanges(wish: Wish) -> tuple[Exchange, ...]:
    found: list[Exchange] = []
    before = ""
    for line in wish.lines:
        text = str(line.get("text", "")).strip()
        if line["by"] == "customer" and text:
            found.append(Exchange(before, text))
            before = ""
        elif line["by"] in ("assistant", "staff") and text:
            before = f"{before}\n\n{text}".strip()
    return tuple(found) or (Exchange("", ""),)


def _matter(wish: Wish) -> str:
    """What the conversation is about, by the last wish that says it."""
    dialogue = follow(_exchanges(wish))
    task = next((one for one in (dialogue.task, *dialogue.tasks) if one and one.intent in LABELS), None)
    if task is None or task.intent in ("unsure", "offtopic", "injection"):
        return "has written to us"
    orders = f", order {', '.join(task.slots.orders)}" if task.slots.orders else ""
    return f"wants to {WANTS.get(task.intent, LABELS[task.intent][1].lower())}{orders}"


def _next(wish: Wish) -> str:
    waits = wish.known.get("waits_for_a_person")  # why, while none has answered
    if waits in URGENT:
        return f"Next: answer them at once: this is a matter of {URGENT[waits]}, and no person has answered yet."
    spoken = [line for line in wish.lines if line["by"] in ("customer", "assistant", "staff")]
    if any(line.get("state") == "awaiting_staff" for line in wish.lines):
        return "Next: decide the action that waits for staff."
    if spoken and spoken[-1]["by"] == "customer":
        return "Next: answer their newest words."
    if waits:
        return "Next: answer them: they wait for a person, and none has answered yet."
    return "Next: wait for the customer, or close."


def _upset(line: Json) -> bool:
    text = str(line.get("text", ""))
    return line["by"] == "customer" and bool(
        re.search(r"ridiculous|unacceptable|angry|terrible|upset|disappoint|never again|!!", text, re.I)
    )


def _short(line: Json) -> str:
    """Cut between words, so that no figure is cut, and without citations, which count nothing here."""
    text = _CITATION.sub("", str(line["text"])).replace("“", "'").replace("”", "'")
    return textwrap.shorten(re.sub(r"[*_#>`]+", "", text), QUOTED, placeholder=" …")


def _row(line: str) -> Json:
    try:
        row = json.loads(line)
    except ValueError:
        return {}
    return row if isinstance(row, dict) else {}
