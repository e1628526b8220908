"""Turns with steps, tool calls and costs for told conversations: as the engine records them, at the real prices."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from support_agent.agent.config import LIMITS
from support_agent.agent.evidence import backing
from support_agent.agent.prompts import prompt
from support_agent.agent.routing import NEXT_TIER, READ, TOOLSETS
from support_agent.agent.types import StepKind, Tier, TurnState, Usage
from support_agent.demo.story import Call, Exchange, Json
from support_agent.env import env
from support_agent.llm.pricing import cost_usd
from support_agent.models import Spend, Step, ToolCall, Turn
from support_agent.runtime.budgets import totals_of
from support_agent.runtime.modes import surface_of
from tickets.demo.world import World
from tickets.models import Action, Conversation, Message

MODELS = {Tier.SMALL: env.agent_model_small, Tier.MEDIUM: env.agent_model_medium, Tier.LARGE: env.agent_model_large}
TIERS = {"simple": Tier.SMALL, "medium": Tier.MEDIUM, "complex": Tier.LARGE}
PREFIX_TOKENS = 3_340  # tools and system prompt: written to the cache once, then read
PLANNER_TOKENS = 1_120
LOOKUPS = {"track_shipment", "lookup_order", "search_knowledge_base"}
TOO_SLOW = {"status": "error", "retryable": True, "message": "This took too long to fetch."}
TOTALS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")


def tokens_of(value: Any) -> int:
    """About four characters a token."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return max(1, len(text) // 4)


@dataclass
class Running:
    """A turn while its steps are told."""

    turn: Turn
    tier: Tier
    clock: datetime
    context: int  # tokens after the cached prefix: history and this turn's messages so far
    cached: int  # of these, already in the cache
    index: int = 0
    seen: TurnState = field(default_factory=TurnState)  # the calls so far and what they answered: what backs claims


class Tracer:
    def __init__(self, world: World) -> None:
        self.world = world
        self.spent: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)

    def turn(self, conversation: Conversation, exchange: Exchange, asked: Message, history: int) -> Turn:
        """One finished turn. `history` is the tokens of the conversation before it."""
        world = self.world
        surface = surface_of(conversation)
        started = asked.created_at + timedelta(milliseconds=world.between(15, 90))
        turn = world.add(
            Turn,
            asked.created_at,
            conversation=conversation,
            surface=surface,
            state=Turn.State.FAILED if exchange.failure else Turn.State.ANSWERED,
            attempt=3 if exchange.failure else 1,
            path="fast" if exchange.fast else "planned",
            topic=exchange.topic,
            prompt_version=prompt("assistant").version,
            tools_offered=list(TOOLSETS[exchange.subject] if exchange.proposal else READ),
            started_at=started,
            error=exchange.failure,
        )
        tier = Tier.SMALL if exchange.fast else TIERS[exchange.complexity]
        running = Running(turn, tier, started, history + tokens_of(exchange.said) + 60, history)
        self._decide(running, exchange)
        if exchange.failure:
            self._step(running, StepKind.ERROR, status="failed", error=exchange.failure, took=0)
        else:
            self._work(running, exchange)
        turn.finished_at, turn.step_count = running.clock, running.index
        for total in totals_of(conversation, surface, LIMITS[surface], started):
            self.spent[total.scope, total.key, total.period] += turn.cost_usd
        return turn

    def escalated(self, turn: Turn) -> None:
        turn.state = Turn.State.ESCALATED

    def save_spend(self) -> None:
        for (scope, key, period), usd in self.spent.items():
            self.world.keep(Spend(scope=scope, key=key, period=period, spent_usd=usd))

    def link(self, turn: Turn, action: Action, settled: Json | None) -> None:
        """The proposing call's row points at its action, and follows what became of it."""
        call = next(row for row in reversed(self.world.rows[ToolCall]) if row.turn_id == turn.pk)
        call.action = action
        if settled is not None:
            call.status, call.result = settled["status"], settled

    def _decide(self, running: Running, exchange: Exchange) -> None:
        if exchange.fast:
            reason = "order status" if exchange.calls else "small talk"
            self._step(running, StepKind.OBSERVE, output={"path": "fast", "reason": reason}, took=0)
            return
        steps = [{"type": "gather_info", "priority": "required", "description": "Look up what the answer needs."}]
        if exchange.proposal:
            wish = exchange.proposal.tool.replace("_", " ")
            steps.append({"type": "take_action", "priority": "required", "description": f"Offer: {wish}."})
        steps.append({"type": "answer", "priority": "required", "description": "Answer the customer."})
        running.turn.confidence = 0.3 if exchange.topic == "unclear" else round(self.world.between(0.74, 0.97), 2)
        plan = {
            "goal": f"The customer's question about {exchange.topic}.",
            "topic": exchange.topic,
            "subject": exchange.subject,
            "in_scope": exchange.topic != "off topic",
            "complexity": exchange.complexity,
            "confidence": running.turn.confidence,
            "steps": steps,
            "is_complete": not exchange.calls,
        }
        usage = Usage(input_tokens=PLANNER_TOKENS + running.context, output_tokens=tokens_of(plan))
        self._model(running, StepKind.PLAN, Tier.SMALL, usage, exchange.said, plan)

    def _work(self, running: Running, exchange: Exchange) -> None:
        calls = list(exchange.calls)
        if exchange.proposal:
            calls.append(Call(exchange.proposal.tool, exchange.proposal.arguments, _pending(exchange)))
        for call in calls:
            use: Json = {
                "type": "tool_use",
                "id": f"toolu_{self.world.digits(12)}",
                "name": call.tool,
                "input": call.arguments,
            }
            self._ask(running, exchange.said, [use], "tool_use")
            if call.tool in LOOKUPS and self.world.chance(0.03):  # failed once, asked again
                self._tool(running, Call(call.tool, call.arguments, TOO_SLOW), use["id"])
                use = {**use, "id": f"toolu_{self.world.digits(12)}"}
                self._ask(running, exchange.said, [use], "tool_use")
            self._tool(running, call, use["id"])
        if exchange.rejected:
            self._ask(running, exchange.said, [{"type": "text", "text": exchange.rejected}], "end_turn")
            issue = {"rule": "unbacked_duration", "detail": "“3 hours” is in no tool result or article"}
            output = {"accepted": False, "issues": [issue], "text": exchange.rejected}
            self._step(running, StepKind.CRITIC, status="failed", output=output, took=2)
        self._ask(running, exchange.said, [{"type": "text", "text": exchange.answer}], "end_turn")
        cited = [source["n"] for source in exchange.sources]
        accepted = {
            "accepted": True,
            "sources": cited,
            "words": len(exchange.answer.split()),
            "confidence": running.turn.confidence,
            "claims": backing(exchange.answer, running.seen),
        }
        self._step(running, StepKind.CRITIC, output=accepted, took=1)

    def _ask(self, running: Running, said: str, content: list[Json], stop_reason: str) -> None:
        if running.tier in NEXT_TIER and self.world.chance(0.012):
            self._overloaded(running, said)
        fresh = running.context - running.cached
        is_cold = self.world.chance(0.04)  # nobody had asked for five minutes
        usage = Usage(
            input_tokens=min(fresh, self.world.rng.randint(3, 40)),
            output_tokens=tokens_of(content) + self.world.rng.randint(20, 180),
            cache_read_tokens=0 if is_cold else PREFIX_TOKENS + running.cached,
            cache_write_tokens=fresh + (PREFIX_TOKENS + running.cached if is_cold else 0),
        )
        step = self._model(
            running, StepKind.MODEL_CALL, running.tier, usage, said, {"stop_reason": stop_reason, "content": content}
        )
        running.cached, running.context = running.context, running.context + usage.output_tokens
        if running.turn.first_text_at is None and stop_reason == "end_turn":
            running.turn.first_text_at = running.clock - timedelta(milliseconds=step.duration_ms - (step.ttft_ms or 0))

    def _model(self, running: Running, kind: StepKind, tier: Tier, usage: Usage, said: str, output: Json) -> Step:
        model = MODELS[tier]
        ttft = round(self.world.between(280, 900) * (1 if tier == Tier.SMALL else 1.6))
        return self._step(
            running,
            kind,
            model=model,
            input={
                "tier": tier.value,
                "tools": running.turn.tools_offered if kind is StepKind.MODEL_CALL else [],
                "messages": 1 + running.index,
                "newest": [{"role": "user", "content": said}],
            },
            output=output,
            took=ttft + round(usage.output_tokens * self.world.between(6, 14)),
            ttft_ms=ttft,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cost_usd=cost_usd(model, usage).quantize(Decimal("1e-9")),
        )

    def _overloaded(self, running: Running, said: str) -> None:
        """The provider had no room for this tier: nothing was charged, and the next tier answers."""
        request = {"tier": running.tier.value, "tools": running.turn.tools_offered, "messages": 1 + running.index}
        self._step(
            running,
            StepKind.MODEL_CALL,
            model=MODELS[running.tier],
            input=request | {"newest": [{"role": "user", "content": said}]},
            status="failed",
            error="overloaded: 529 after 3 attempts",
            took=round(self.world.between(2500, 6000)),
        )
        running.tier, running.cached = NEXT_TIER[running.tier], 0

    def _tool(self, running: Running, call: Call, use_id: str) -> None:
        took = round(self.world.between(4, 60))
        status = call.result["status"]
        made = running.clock
        self._step(
            running,
            StepKind.TOOL_CALL,
            tool=call.tool,
            input=call.arguments,
            output=call.result,
            status=status,
            took=took,
        )
        running.context += tokens_of(call.result)
        running.seen.calls.append([call.tool, use_id])
        running.seen.evidence.append(json.dumps(call.result, default=str))
        self.world.add(
            ToolCall,
            made,
            turn=running.turn,
            conversation=running.turn.conversation,
            tool=call.tool,
            tool_use_id=use_id,
            arguments=call.arguments,
            idempotency_key=f"{running.turn.pk}:{use_id}",
            status=status,
            result=call.result,
            duration_ms=took,
        )

    def _step(self, running: Running, kind: StepKind, *, took: int, **fields: Any) -> Step:
        running.clock += timedelta(milliseconds=took + 3)
        step = self.world.add(
            Step,
            running.clock,
            turn=running.turn,
            index=running.index,
            attempt=running.turn.attempt,
            kind=kind.value,
            duration_ms=took,
            **fields,
        )
        running.index += 1
        for name in TOTALS:
            setattr(running.turn, name, getattr(running.turn, name) + getattr(step, name))
        return step


def _pending(exchange: Exchange) -> Json:
    """What the model read when it proposed. The action's id is put in by the teller, who makes the row."""
    proposal = exchange.proposal
    assert proposal is not None
    return {
        "status": "pending_confirmation",
        "action_id": str(proposal.id),
        "summary": proposal.summary,
        "preview": proposal.preview,
        "expires_in_minutes": 30,
    }
