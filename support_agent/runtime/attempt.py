"""One attempt at one turn: hand the engine its ports, run it, and bring its outcome home."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import psycopg
import structlog
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext

from support_agent import telemetry
from support_agent.agent.config import EngineConfig
from support_agent.agent.errors import TurnLost
from support_agent.agent.loop import run_turn
from support_agent.agent.toolkit import Tool
from support_agent.agent.types import (
    EscalationWish,
    ModelPort,
    Outcome,
    Ports,
    StepRecord,
    Surface,
    TurnInput,
    TurnState,
)
from support_agent.agent.words import SWITCHED_OFF
from support_agent.models import Switch, Turn
from support_agent.runtime import tool_breakers
from support_agent.runtime.budgets import TurnBudget, fullest_of
from support_agent.runtime.careful import leave_to_people
from support_agent.runtime.catalogue import catalogue
from support_agent.runtime.claims import MAX_ATTEMPTS, is_stuck, release
from support_agent.runtime.controls import Controls, controls
from support_agent.runtime.history import payer_of, turn_input
from support_agent.runtime.house import house_lines
from support_agent.runtime.live import LiveText
from support_agent.runtime.modes import LIVE
from support_agent.runtime.pictures import Seeing
from support_agent.runtime.toolbox import Breakers, Toolbox
from support_agent.runtime.turns import checkpoint, fail, finish, is_written
from tickets.db import in_db
from tickets.languages import speaking
from tickets.models import Conversation, EscalationReason
from tickets.workspace import workspace

log = structlog.get_logger(__name__)
CONFIG = EngineConfig()
DATABASE_S = 15.0  # how long a finished step waits for a database that restarts
DATABASE_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


class Attempt:
    """Runs one claimed turn to its end. `stop` is set from outside; the engine looks at it between its moves.

    Evaluations hand in tools that go wrong, and breakers that no customer depends on.
    """

    def __init__(
        self,
        turn: Turn,
        model: ModelPort,
        *,
        tools: Mapping[str, Tool] | None = None,
        breakers: Breakers = tool_breakers,
    ) -> None:
        self.turn, self._model, self._tools, self._breakers = turn, model, tools, breakers
        self.stop = turn.stop_requested
        self._text = LiveText(turn)
        self._trace: telemetry.TurnTrace = telemetry.SILENCE

    async def run(self) -> None:
        """Never raises but for cancellation: a bug ends the turn visibly."""
        with (
            structlog.contextvars.bound_contextvars(
                conversation_id=str(self.turn.conversation_id), turn_id=str(self.turn.pk)
            ),
            speaking(self.turn.conversation.locale),
        ):
            try:
                await self._run()
            except TurnLost:
                log.info("turn_lost")
            except asyncio.CancelledError:
                if self.stop == "stop":  # before the engine could end it: the next attempt does, at once
                    await self._hand_back()
                raise
            except DATABASE_AWAY as error:
                # The database, not the turn, has failed: another attempt goes on from the last step.
                log.warning("turn_handed_back", error=str(error).splitlines()[0])
                await self._hand_back()
            except Exception as error:
                log.exception("turn_failed")
                await self._fail(f"{type(error).__name__}: {error}")
            finally:
                self._trace.end(self.stop or "lost")
                await self._text.activity("idle")

    async def _run(self) -> None:
        turn = self.turn
        if turn.attempt > MAX_ATTEMPTS and await in_db(is_stuck, turn):
            await self._fail(f"given up after {MAX_ATTEMPTS} attempts")
            return
        if telemetry.is_on():
            self._trace = telemetry.begin(await in_db(_facts, turn))
        state = TurnState.restored(turn.checkpoint) if turn.checkpoint else None
        if turn.attempt > 1:
            await self._text.retract()
        start, now, payer, known, fullest = await in_db(self._read)
        if now.has(Switch.Name.STOP_ASSISTANT):
            wish = EscalationWish("model_failing", "The assistant is switched off.")
            await self._finish(Outcome("escalated", gettext(SWITCHED_OFF), escalation=wish))
            return
        if (mode := now.modes[Surface(turn.surface)].of(turn.conversation_id)) != LIVE:
            await in_db(leave_to_people, turn, mode)
            self._trace.end("escalated", reason=EscalationReason.PEOPLE_FIRST.value)
            return
        limits = now.limits[start.surface]
        tools = {name: tool for name, tool in known.items() if name not in now.disabled_tools}
        start = replace(start, extras=[extra for extra in start.extras if extra.name in tools])
        config = replace(
            CONFIG,
            say=gettext,
            prompts=now.prompts,
            house=house_lines(workspace()),
            only_small=now.has(Switch.Name.PIN_SMALL),
            step_cap=limits.steps,
        )
        version = config.prompt("assist" if start.assist else "assistant").version
        turn.prompt_version = version[:40]  # written with the first step
        self._trace.prompt(version)
        ports = Ports(
            model=Seeing(self._model, start.conversation_id),
            tools=Toolbox(tools, turn, self._breakers),
            steps=self,
            text=self._text,
            budget=TurnBudget(
                turn,
                payer,
                limits,
                surface=start.surface,
                spent=turn.cost_usd,
                tokens=state.tokens if state else 0,
                fullest=fullest,
            ),
            stop=self,
        )
        outcome = await run_turn(start, ports, config, state)
        await self._text.close()
        await self._finish(outcome)
        log.info("turn_ended", state=outcome.state, cost_usd=str(outcome.spend.cost_usd), attempt=turn.attempt)

    def _read(self) -> tuple[TurnInput, Controls, Conversation, Mapping[str, Tool], Decimal]:
        """All that a turn begins with: what was said, what staff allow, who pays, the tools, how full limits are."""
        start, now = turn_input(self.turn), controls()
        payer = payer_of(self.turn) if start.drafted else self.turn.conversation
        tools = self._tools if self._tools is not None else catalogue()
        return start, now, payer, tools, fullest_of(payer, start.surface, now.limits[start.surface])

    async def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        """The engine's StepSink. A finished step waits for a database that restarts: it was paid for."""
        try:
            await self._checkpoint(records, state)
        finally:  # what is no longer ours was paid for all the same
            self._trace.steps(records, state)

    async def _checkpoint(self, records: Sequence[StepRecord], state: TurnState) -> None:
        ends = time.monotonic() + DATABASE_S
        again = False
        while True:
            try:
                if not (again and await in_db(is_written, self.turn, records)):
                    await in_db(checkpoint, self.turn, records, state)
                return
            except DATABASE_AWAY as error:
                if time.monotonic() > ends:
                    raise
                log.warning("step_waits_for_database", error=str(error).splitlines()[0])
            again = True
            await asyncio.sleep(0.5)

    def requested(self) -> str:
        """The engine's StopPort."""
        return self.stop

    async def _finish(self, outcome: Outcome) -> None:
        await in_db(finish, self.turn, outcome, shown=self._text.shown)
        self._trace.end(outcome.state, reason=outcome.escalation.reason if outcome.escalation else "")

    async def _hand_back(self) -> None:
        try:
            await in_db(release, self.turn.owner, self.turn.pk)
        except DATABASE_AWAY:
            log.warning("turn_left_to_its_lease")

    async def _fail(self, error: str) -> None:
        try:
            await self._text.retract()
            await in_db(fail, self.turn, error)
            self._trace.end("failed", error=error)
        except TurnLost:
            log.info("turn_lost")
        except DATABASE_AWAY:
            log.warning("turn_left_to_its_lease")


def _facts(turn: Turn) -> telemetry.TurnFacts:
    """Ids, and the turn before: one query, only for those who look at traces."""
    before = Turn.objects.filter(conversation_id=turn.conversation_id, created_at__lt=turn.created_at)
    return telemetry.TurnFacts(
        turn_id=turn.pk,
        conversation_id=turn.conversation_id,
        attempt=turn.attempt,
        surface=turn.surface,
        customer_id=turn.conversation.customer_id,
        previous=before.order_by("-created_at").values_list("pk", flat=True).first(),
    )
