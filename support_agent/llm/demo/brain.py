"""One request to one finished message of the Messages API. Pure: the same request always gets the same answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from support_agent.llm.demo import account, assist, further, orders, planner, talk
from support_agent.llm.demo.desk import Call, Desk, Told, Wanted
from support_agent.llm.demo.dialogue import follow
from support_agent.llm.demo.rules import rules_of
from support_agent.llm.demo.situation import Situation, read
from support_agent.llm.demo.tasks import Dialogue, Task

Json = dict[str, Any]
Handler = Callable[[Desk, Task], str]
HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        **dict.fromkeys(talk.FIXED, talk.fixed),
        "track": orders.track,
        "order_info": orders.order_info,
        "return_status": orders.return_status,
        "why": orders.why,
        "cancel": orders.cancel,
        "return": orders.send_back,
        "exchange": orders.send_back,
        "refund": orders.refund,
        "problem": orders.problem,
        "update": account.update,
        "invoice": account.invoice,
        "orders_list": account.orders_list,
        "account_info": account.account_info,
        "ticket_status": account.ticket_status,
        "ticket": account.ticket,
        "verify": account.verify,
        "knowledge": talk.knowledge,
        "unsure": talk.unsure,
        "unsolved": talk.unsolved,
        "confirm": talk.confirm,
        "human": talk.human,
        "legal": talk.legal,
        "safety": talk.safety,
    }
)


def respond(body: Json) -> tuple[list[Json], str]:
    """The answer's content blocks and its stop reason."""
    situation = read(body)
    if (wish := assist.read_wish(situation.text)) is not None:
        return _assist(situation, wish)
    dialogue = Dialogue() if situation.is_wordless else follow(situation.exchanges)
    if situation.schema is not None:
        plan = planner.structured(situation, dialogue)
        return [
            _text(json.dumps(further.planned(plan, situation) if _may_look_further(dialogue) else plan))
        ], "end_turn"
    if not situation.tools and re.search(r"summar|compress|keep the memory", situation.system, re.I):
        return [_text(_summary(situation))], "end_turn"
    beyond = further.act(situation) if _may_look_further(dialogue) else None
    calls, text = beyond or act(situation, dialogue)
    if calls:
        return [_tool_use(situation, call) for call in calls], "tool_use"
    text = rules_of(situation.system).kept(_reworded(text, situation.objection))
    return [_text(_in_english_only(situation, dialogue, text))], "end_turn"


def _may_look_further(dialogue: Dialogue) -> bool:
    return not any(task.intent in ("human", "legal", "safety", "injection") for task in dialogue.tasks)


def _assist(situation: Situation, wish: assist.Wish) -> tuple[list[Json], str]:
    """What staff want for themselves; a draft looks up what its answer needs first."""
    if wish.kind == "article":
        return [_text(_reworded(assist.article(wish), situation.objection))], "end_turn"
    if wish.kind == "summary":
        return [_text(_reworded(assist.summary(wish), situation.objection))], "end_turn"
    inner, dialogue = assist.draft_situation(situation, wish)
    calls, body = act(inner, dialogue) if dialogue.tasks else ([], "")
    if calls:
        return [_tool_use(situation, call) for call in calls], "tool_use"
    return [_text(_reworded(assist.draft(wish, body), situation.objection))], "end_turn"


def act(situation: Situation, dialogue: Dialogue) -> tuple[list[Call], str]:
    """The calls that must come next, or the words for the customer."""
    if situation.is_wordless:
        return [], talk.BLIND
    desk = Desk(situation, dialogue)
    calls: list[Call] = []
    texts: list[str] = []
    for task in dialogue.tasks or (Task("unsure", situation.text),):
        try:
            texts.append(_handler(dialogue, task)(desk, task))
        except Wanted as wanted:
            calls.extend(call for call in wanted.calls if call not in calls and not _second_search(call, calls))
        except Told as told:
            texts.append(told.text)
    if calls:
        return calls, ""
    text = "\n\n".join(dict.fromkeys(texts))
    if dialogue.upset_now and dialogue.angry == 1 and "sorry" not in text:
        text = f"{talk.SORRY} {text}"
    return [], f"{talk.BLIND}\n\n{text}" if situation.pictures else text


def _second_search(call: Call, calls: list[Call]) -> bool:
    """Searches go one after the other, so that their sources get different numbers."""
    return call.name == "search_knowledge_base" and any(other.name == call.name for other in calls)


def _handler(dialogue: Dialogue, task: Task) -> Handler:
    if dialogue.upset_now and dialogue.angry >= 2 and task.intent not in ("human", "legal", "safety", "injection"):
        return lambda desk, task: talk.hand_over(desk, task, "asked", "The customer is upset, for the second time")
    return HANDLERS.get(task.intent, talk.unsure)


def _reworded(text: str, objection: str) -> str:
    """After an objection: without the sentences that it quotes, or the plain admission when nothing is left."""
    if not objection:
        return text
    quoted = [part for part in re.findall(r"[\"'“‘`](.{2,120}?)[\"'”’`]", objection) if not part.isspace()]
    kept = [said for said in re.split(r"(?<=[.!?])\s+", text) if not any(part in said for part in quoted)]
    shorter = " ".join(kept).strip()
    return (
        shorter
        if shorter and shorter != text
        else "I cannot give you a reliable answer to that myself. Shall I bring in a colleague?"
    )


def _in_english_only(situation: Situation, dialogue: Dialogue, text: str) -> str:
    """In a conversation of another language: once, in that language, that we speak none but English; and no more than
    that where we did not understand."""
    if not situation.says:
        return text
    if all(task.intent in ("foreign", "unsure") for task in dialogue.tasks):
        return situation.says
    said_before = any(situation.says in exchange.before for exchange in situation.exchanges)
    return text if said_before else f"{situation.says}\n\n{text}"


def _summary(situation: Situation) -> str:
    """What the customer wanted so far, in their own words."""
    said = [exchange.said for exchange in situation.exchanges]
    return "The customer wrote: " + " / ".join(part[:160] for part in said[-6:]) if said else "Nothing was said yet."


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _tool_use(situation: Situation, call: Call) -> Json:
    """The id is made of the call and how many came before, so that the same request gets the same bytes."""
    seed = f"{len(situation.results)} {call.name} {json.dumps(call.arguments, sort_keys=True)}"
    return {
        "type": "tool_use",
        "id": f"toolu_demo{hashlib.sha256(seed.encode()).hexdigest()[:20]}",
        "name": call.name,
        "input": call.arguments,
    }
