"""The customer's socket: one cursor into the conversation's events.

It joins the group first and replays from PostgreSQL after, so nothing falls between. A pushed `seq` that is not
cursor + 1 makes it read from PostgreSQL, and `cursors.watch` finds what no push announced.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from support_agent.chat import commands, frames
from support_agent.chat.cursors import watch
from support_agent.chat.renderers.base import renderer_for
from support_agent.chat.tokens import with_token
from support_agent.chat.visitors import SignedOut, has_credentials, session_key_of, visitor_of_scope
from support_agent.runtime import ratelimit
from support_agent.sockets import TOO_BIG, TOO_MANY, GroupSocket
from tickets.access import Visitor, conversation_for_visitor
from tickets.db import in_db
from tickets.errors import DeskError, NotFound, RateLimited
from tickets.languages import language_of
from tickets.models import Conversation
from tickets.publishing import group_of
from tickets.selectors.conversations import PAGE, events_after
from tickets.selectors.waits import Place

Json = dict[str, Any]
log = logging.getLogger(__name__)

UNAUTHORISED, NOT_FOUND = 4401, 4404
SOCKETS_PER_CONVERSATION = ratelimit.SOCKETS_PER_CONVERSATION
PLACE_EVERY = 60.0  # seconds
FEW = 20  # events read at a time for a client that reads slowly
SILENT = {Conversation.Status.HUMAN, Conversation.Status.CLOSED}


class ChatConsumer(GroupSocket):
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
        self._wants_place = True
        self._place: Json | None = None  # the place in the line as this client was told
        self._place_again = 0.0  # when it may be told another
        # Turns whose text is complete, and texts that were withdrawn: a late delta of theirs says nothing new.
        self._finished: deque[str] = deque(maxlen=32)
        refusal = await self._enter()
        if refusal:
            return await self.close(refusal)
        await self._follow((query.get("after") or ["0"])[0])

    async def disconnect(self, code: int) -> None:
        watch().remove(self)
        await self.leave_groups()

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
        if event["seq"] > self.cursor + 1 or self.is_behind():
            return await self.catch_up()
        async with self._order:
            if event["seq"] == self.cursor + 1:
                await self._send_event(event)
        self._find_place()

    async def conversation_frame(self, message: Json) -> None:
        frame = message["frame"]
        if frame["type"] == "typing" and frame.get("who") == "customer":
            return  # that is this side
        if frame["type"] in ("delta", "activity"):
            is_over = bool({frame.get("turn_id"), frame.get("message_id")} & set(self._finished))
            if (is_over and frame.get("state") != "idle") or self._status in SILENT:
                return
        if frame["type"] == "retract":
            self._finished.append(frame["message_id"])
        elif self.is_behind():
            return  # a hole in the deltas is filled by the message
        await self._passing(frame)

    async def too_fast(self, refusal: RateLimited) -> None:
        await self._error(refusal.code, refusal.message, {}, refusal.retry_after)

    async def session_ended(self, _: Json) -> None:
        """Somebody signed out."""
        await self.look_again()

    async def look_again(self) -> None:
        """This socket goes on only if its own session still stands."""
        try:
            await in_db(_visit, self._caller, self.conversation_id)
        except (SignedOut, NotFound):
            await self.close(UNAUTHORISED)

    async def catch_up(self) -> None:
        """Send what PostgreSQL has past the cursor, in order."""
        async with self._order:
            page = PAGE
            while await self._send_page(page):
                page = FEW if self.is_behind() else PAGE
                if not await self.read_up():
                    return
        self._find_place()

    async def _send_page(self, size: int) -> bool:
        """Send the next events, until the client is behind: whether there may be more. What is left is not kept."""
        events = await in_db(events_after, self.conversation_id, self.cursor, limit=size)
        for event in events:
            if self.is_behind():
                return True
            await self._send_event(event)
        return len(events) == size

    @property
    def is_busy(self) -> bool:
        """Whether something is being sent already, or nothing will be; a round need not look after it."""
        return self.is_closing or self._order.locked()

    async def _enter(self) -> int | None:
        """Who is this, and may they come in? The close code when not."""
        try:
            visitor, conversation = await in_db(_visit, self._caller, self.conversation_id)
        except SignedOut:
            return UNAUTHORISED
        except NotFound:
            return NOT_FOUND if await in_db(_is_somebody, self._caller) else UNAUTHORISED
        if watch().open_for(self.conversation_id) >= SOCKETS_PER_CONVERSATION:
            return TOO_MANY
        self._caller["visitor_user_id"] = self.user_id = visitor.user_id
        self.session_key = "" if visitor.token else session_key_of(self._caller)
        self._owner_id = conversation.customer_id
        self._status = conversation.status
        self.renderer.language = language_of(conversation.locale)
        await self.join(group_of(self.conversation_id))
        if visitor.user_id:
            await self.join(f"user.{visitor.user_id.hex}")
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

    @property
    def is_waiting(self) -> bool:
        return bool(self._status == Conversation.Status.WAITING)

    async def show_place(self, place: Place | None) -> None:
        """The passing frame `queue`: only when it says something new, and at most once a minute."""
        if place is None or not self.is_waiting:
            return
        frame, now = place.as_frame(), asyncio.get_running_loop().time()
        if frame != self._place and now >= self._place_again:
            self._place, self._place_again = frame, now + PLACE_EVERY
            await self._passing(frame)

    def _find_place(self) -> None:
        """Right after the conversation began to wait, or this client came; from then on the watch does it anyway."""
        if self._wants_place and self.is_waiting:
            self._wants_place = False
            watch().find_place(self)

    async def _send_event(self, event: Json) -> None:
        self.cursor = event["seq"]
        match event["type"]:
            case "status":
                self._status = event["status"]
                self._wants_place, self._place, self._place_again = True, None, 0.0
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
        error = frames.error_frame(code, message, about, retry_after)
        await self.send(text_data=self.renderer.error(error, about))


def _visit(scope: Json, conversation_id: UUID) -> tuple[Visitor, Conversation]:
    visitor = visitor_of_scope(scope)
    return visitor, conversation_for_visitor(conversation_id, visitor)


def _is_somebody(scope: Json) -> bool:
    return has_credentials(visitor_of_scope(scope))
