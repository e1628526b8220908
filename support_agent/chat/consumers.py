"""The customer's socket: one cursor into the conversation's events.

It joins the group first and replays from PostgreSQL after, so nothing falls between. A pushed `seq` that is not
cursor + 1 makes it read from PostgreSQL, and `cursors.watch` finds what no push announced.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from support_agent.chat import commands, frames
from support_agent.chat.cursors import watch
from support_agent.chat.renderers.base import renderer_for
from support_agent.chat.tokens import with_token
from support_agent.chat.visitors import SignedOut, has_credentials, visitor_of_scope
from support_agent.runtime.ratelimit import allow
from tickets.access import Visitor, conversation_for_visitor
from tickets.db import in_db
from tickets.errors import DeskError, NotFound, RateLimited
from tickets.models import Conversation
from tickets.publishing import group_of
from tickets.selectors.conversations import PAGE, events_after

Json = dict[str, Any]
log = logging.getLogger(__name__)

UNAUTHORISED, NOT_FOUND, TOO_MANY, TOO_BIG = 4401, 4404, 4429, 1009
SOCKETS_PER_CONVERSATION = 20
CODES = {"not_allowed": "not_found", "not_eligible": "conflict"}  # to those the contract has
SILENT = {Conversation.Status.HUMAN, Conversation.Status.CLOSED}


class ChatConsumer(AsyncWebsocketConsumer):
    """`/ws/chat/<id>/?after=&format=&token=`"""

    async def connect(self) -> None:
        self._groups: list[str] = []
        await self.accept()
        self._caller: Json = {**self.scope}
        self.conversation_id: UUID = self._caller["url_route"]["kwargs"]["conversation_id"]
        query = parse_qs(self._caller["query_string"].decode("latin-1"))
        self.renderer = renderer_for((query.get("format") or ["json"])[0], self.conversation_id)
        self.cursor = 0
        self._order = asyncio.Lock()  # the cursor moves and the frame goes out as one step
        self._finished: deque[str] = deque(maxlen=32)  # turns whose text is complete: a late delta says nothing new
        refusal = await self._enter()
        if refusal:
            return await self.close(refusal)
        await self._follow((query.get("after") or ["0"])[0])

    async def dispatch(self, message: Json) -> None:
        """A failure ends the socket with 1011; the client connects again and repeats what was not acknowledged."""
        try:
            await super().dispatch(message)
        except StopConsumer:
            raise
        except Exception:
            await self.disconnect(1011)
            raise

    async def disconnect(self, code: int) -> None:
        watch().remove(self)
        while self._groups:
            with suppress(Exception):  # Redis may be the very thing that failed
                await self.channel_layer.group_discard(self._groups.pop(), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if len(text_data.encode() if text_data is not None else bytes_data or b"") > frames.MAX_BYTES:
            return await self.close(TOO_BIG)
        try:
            frame = frames.parse(text_data or "", lenient=self.renderer.lenient)
        except frames.FrameError as error:
            return await self._error(error.code, error.message, {"client_message_id": error.client_message_id})
        try:
            replies = await in_db(commands.perform, self._caller, self.conversation_id, frame)
        except DeskError as error:
            retry_after = error.retry_after if isinstance(error, RateLimited) else None
            return await self._error(error.code, error.message, frame.model_dump(mode="json"), retry_after)
        except SignedOut:
            return await self.close(UNAUTHORISED)
        except commands.Gone:
            return await self.close(NOT_FOUND)
        for reply in replies:
            await self._passing(reply)

    async def conversation_event(self, message: Json) -> None:
        """A pushed event: sent when it is the next one, else everything missing is read from PostgreSQL."""
        event = message["event"]
        if event["seq"] > self.cursor + 1:
            return await self.catch_up()
        async with self._order:
            if event["seq"] == self.cursor + 1:
                await self._send_event(event)

    async def conversation_frame(self, message: Json) -> None:
        frame = message["frame"]
        if frame["type"] == "typing" and frame.get("who") == "customer":
            return  # that is this side
        if frame["type"] in ("delta", "activity"):
            is_over = frame.get("turn_id") in self._finished and frame.get("state") != "idle"
            if is_over or self._status in SILENT:
                return
        await self._passing(frame)

    async def session_ended(self, _: Json) -> None:
        """Somebody signed out: this socket goes on only if its own session still stands."""
        try:
            await in_db(_visit, self._caller, self.conversation_id)
        except (SignedOut, NotFound):
            await self.close(UNAUTHORISED)

    async def catch_up(self) -> None:
        """Send what PostgreSQL has past the cursor, in order."""
        async with self._order:
            while True:
                events = await in_db(events_after, self.conversation_id, self.cursor)
                for event in events:
                    await self._send_event(event)
                if len(events) < PAGE:
                    return

    async def _enter(self) -> int | None:
        """Who is this, and may they come in? The close code when not."""
        try:
            visitor, conversation = await in_db(_visit, self._caller, self.conversation_id)
            if visitor.address:
                await in_db(allow, "socket", visitor.address)
        except SignedOut:
            return UNAUTHORISED
        except NotFound:
            return NOT_FOUND if await in_db(_is_somebody, self._caller) else UNAUTHORISED
        except RateLimited:
            return TOO_MANY
        if watch().open_for(self.conversation_id) >= SOCKETS_PER_CONVERSATION:
            return TOO_MANY
        self._caller["visitor_user_id"] = visitor.user_id
        self._owner_id = conversation.customer_id
        self._status = conversation.status
        await self._join(group_of(self.conversation_id))
        if visitor.user_id:
            await self._join(f"user.{visitor.user_id.hex}")
        return None

    async def _follow(self, after: str) -> None:
        """Ready, then the replay; from then on the watch keeps this socket whole."""
        conversation = await in_db(Conversation.objects.get, pk=self.conversation_id)
        self.cursor = min(int(after), conversation.last_seq) if after.isdecimal() else 0
        self._status = conversation.status
        shown = {"id": str(conversation.pk), "reference": conversation.reference, "status": conversation.status}
        await self._passing({"type": "ready", "conversation": shown, "last_seq": conversation.last_seq})
        watch().add(self)
        await self.catch_up()

    async def _join(self, group: str) -> None:
        try:
            await self.channel_layer.group_add(group, self.channel_name)
            self._groups.append(group)
        except Exception:
            log.warning("group_add_failed", exc_info=True)  # pushes are lost, the watch still brings every event

    async def _send_event(self, event: Json) -> None:
        self.cursor = event["seq"]
        match event["type"]:
            case "status":
                self._status = event["status"]
            case "turn":
                self._finished.append(event["turn_id"])
            case "message" if event["message"]["role"] == "assistant" and "turn_id" in event["message"]:
                self._finished.append(event["message"]["turn_id"])
            case "action" if event["action"]["state"] == "proposed":
                event = await self._for_owner(event)
        await self.send(text_data=self.renderer.event(event))

    async def _for_owner(self, event: Json) -> Json:
        if self._owner_id is None:  # verified after this socket was opened
            self._owner_id = (await in_db(Conversation.objects.get, pk=self.conversation_id)).customer_id
        return with_token(event, self.conversation_id, self._owner_id)

    async def _passing(self, frame: Json) -> None:
        if (text := self.renderer.frame(frame)) is not None:
            await self.send(text_data=text)

    async def _error(self, code: str, message: str, about: Json, retry_after: int | None = None) -> None:
        error: Json = {"type": "error", "code": CODES.get(code, code), "message": message}
        if about.get("client_message_id"):
            error["client_message_id"] = about["client_message_id"]
        if retry_after is not None:
            error["retry_after"] = retry_after
        await self.send(text_data=self.renderer.error(error, about))


def _visit(scope: Json, conversation_id: UUID) -> tuple[Visitor, Conversation]:
    visitor = visitor_of_scope(scope)
    return visitor, conversation_for_visitor(conversation_id, visitor)


def _is_somebody(scope: Json) -> bool:
    return has_credentials(visitor_of_scope(scope))
