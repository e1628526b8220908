"""One attempt at one turn: hand the engine its ports, run it, and bring its outcome home."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import psycopg
import structlog
from django.db import InterfaceError, OperationalError

from support_agent.agent.config import EngineConfig
from support_agent.agent.errors import TurnLost
from support_agent.agent.loop import run_turn
from support_agent.agent.types import EscalationWish, ModelPort, Outcome, Ports, StepRecord, TurnState
from support_agent.agent.words import SWITCHED_OFF
from support_agent.models import Switch, Turn
from support_agent.runtime.budgets import TurnBudget, fullest_of
from support_agent.runtime.claims import MAX_ATTEMPTS, release
from support_agent.runtime.controls import controls
from support_agent.runtime.history import turn_input
from support_agent.runtime.live import LiveText
from support_agent.runtime.toolbox import Toolbox
from support_agent.runtime.turns import checkpoint, fail, finish
from support_agent.tools import ALL
from tickets.db import in_db

log = structlog.get_logger(__name__)
CONFIG = EngineConfig()
DATABASE_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


class Attempt:
    """Runs one claimed turn to its end. `stop` is set from outside; the engine looks at it between its moves."""

    def __init__(self, turn: Turn, model: ModelPort) -> None:
        self.turn, self._model = turn, model
        self.stop = turn.stop_requested
        self._text = LiveText(turn)

    async def run(self) -> None:
        """Never raises but for cancellation: a bug ends the turn visibly."""
        with structlog.contextvars.bound_contextvars(
            conversation_id=str(self.turn.conversation_id), turn_id=str(self.turn.pk)
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
                await self._text.activity("idle")

    async def _run(self) -> None:
        turn = self.turn
        if turn.attempt > MAX_ATTEMPTS:
            await self._fail(f"given up after {MAX_ATTEMPTS} attempts")
            return
        state = TurnState(**turn.checkpoint) if turn.checkpoint else None
        if turn.attempt > 1:
            await self._text.retract()
        start, now = await in_db(turn_input, turn), await in_db(controls)
        if now.has(Switch.Name.STOP_ASSISTANT):
            wish = EscalationWish("safety", "The assistant is switched off.")
            await in_db(finish, turn, Outcome("escalated", SWITCHED_OFF, escalation=wish))
            return
        limits = now.limits[start.surface]
        config = replace(CONFIG, prompts=now.prompts, only_small=now.has(Switch.Name.PIN_SMALL), step_cap=limits.steps)
        await in_db(self._note_prompt, config.prompt("assistant").version)
        ports = Ports(
            model=self._model,
            tools=Toolbox({name: tool for name, tool in ALL.items() if name not in now.disabled_tools}, turn),
            steps=self,
            text=self._text,
            budget=TurnBudget(
                turn,
                turn.conversation,
                limits,
                spent=turn.cost_usd,
                tokens=state.tokens if state else 0,
                fullest=await in_db(fullest_of, turn, turn.conversation, limits),
            ),
            stop=self,
        )
        outcome = await run_turn(start, ports, config, state)
        await self._text.close()
        await in_db(finish, turn, outcome, shown=self._text.shown)
        log.info("turn_ended", state=outcome.state, cost_usd=str(outcome.spend.cost_usd), attempt=turn.attempt)

    async def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        """The engine's StepSink."""
        await in_db(checkpoint, self.turn, records, state)

    def requested(self) -> str:
        """The engine's StopPort."""
        return self.stop

    def _note_prompt(self, version: str) -> None:
        Turn.objects.filter(pk=self.turn.pk, attempt=self.turn.attempt).update(prompt_version=version[:40])

    async def _hand_back(self) -> None:
        try:
            await in_db(release, self.turn.owner, self.turn.pk)
        except DATABASE_AWAY:
            log.warning("turn_left_to_its_lease")

    async def _fail(self, error: str) -> None:
        try:
            await self._text.retract()
            await in_db(fail, self.turn, error)
        except TurnLost:
            log.info("turn_lost")
