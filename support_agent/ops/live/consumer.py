"""The inbox's socket: tells a page that something in its list or thread changed; the page fetches what it shows.

Only a staff session opens it. The socket is accepted and then closed with a code the page can read: 4401 signed out,
4403 no role, 4429 too many. It is never the only way: the page looks again by itself, and `rounds` finds lost pushes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from support_agent.ops.live import frames, presence
from support_agent.ops.live.rounds import rounds
from support_agent.ops.live.standing import Member, members_of
from support_agent.sockets import TOO_MANY, GroupSocket
from tickets.db import in_db
from tickets.errors import DeskError, RateLimited
from tickets.publishing import INBOX_GROUP, group_of

Json = dict[str, Any]
log = logging.getLogger(__name__)
SIGNED_OUT, NO_ROLE, TOO_BIG = 4401, 4403, 4413
SOCKETS_PER_PERSON = 30
MAX_BYTES = 16 * 1024
TYPING_EVERY_S = 3.0


class InboxConsumer(AsyncJsonWebsocketConsumer, GroupSocket):  # in this order what it sends passes GroupSocket
    """`/ws/inbox/`"""

    async def connect(self) -> None:
        self._groups: list[str] = []
        self._is_in = False
        self.seat: presence.Seat | None = None
        self.mark = (0, 0)
        self._shown: tuple[list[str], list[str]] = ([], [])
        self._typed_at = 0.0
        await self.accept()
        self.session_key = str(self.scope.get("cookies", {}).get(settings.SESSION_COOKIE_NAME, ""))
        has_origin = any(key == b"origin" for key, _ in self.scope["headers"])  # a token may stand in for it elsewhere
        found = await in_db(members_of, [self.session_key]) if self.session_key and has_origin else {}
        member = found.get(self.session_key)
        if member is None or not member.roles:
            return await self.close(SIGNED_OUT if member is None else NO_ROLE)
        self.user_id, self._name = member.user.pk, member.name
        if rounds().open_for(self.user_id) >= SOCKETS_PER_PERSON:
            return await self.close(TOO_MANY)
        for group in (INBOX_GROUP, f"user.{self.user_id.hex}"):
            await self.join(group)
        rounds().add(self)
        self._is_in = True
        await self.send_json({"type": "ready", "name": self._name})

    async def disconnect(self, code: int) -> None:
        rounds().remove(self)
        with suppress(Exception):
            await self._unwatch()
        await self.leave_groups()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        if not self._is_in:  # refused, and the page has not heard it yet
            return
        if len(text_data or bytes_data or "") > MAX_BYTES:
            return await self.close(TOO_BIG)
        try:
            await self._perform(frames.parse(text_data or ""))
        except frames.BadFrame as error:
            await self.send_json({"type": "error", "code": "bad_frame", "message": str(error)})
        except DeskError as error:
            await self.send_json({"type": "error", "code": error.code, "message": error.message})
        except frames.Ended as ended:
            await self.recheck(ended.member)

    async def too_fast(self, refusal: RateLimited) -> None:
        await self.send_json({"type": "error", "code": refusal.code, "message": refusal.message})

    async def inbox_changed(self, message: Json) -> None:
        """Something in the list; what is watched may also have a note, which is no event."""
        await self.send_json({"type": "changed", "id": message["id"], "why": message.get("why", "")})
        if message.get("why") == "note" and self.seat and message["id"] == str(self.seat.conversation_id):
            self.mark = (self.mark[0], self.mark[1] + 1)
            await self._tell_event()

    async def inbox_mention(self, message: Json) -> None:
        if message["user_id"] == str(self.user_id):
            await self.send_json({"type": "mention", **{name: message[name] for name in ("id", "reference", "from")}})

    async def inbox_presence(self, message: Json) -> None:
        """Somebody came, went, or began to reply; the roster comes along."""
        if (seat := self.seat) and message["id"] == str(seat.conversation_id):
            place = seat.conversation_id
            await self.show_seats([presence.Seat(place, "", *one) for one in message["seats"]])

    async def conversation_event(self, message: Json) -> None:
        seq = message["event"]["seq"]
        if self.seat and seq > self.mark[0]:
            self.mark = (seq, self.mark[1])
            await self._tell_event()

    async def conversation_frame(self, message: Json) -> None:
        frame = message["frame"]
        if self.seat and frame["type"] == "typing" and frame.get("who") == "customer":
            await self.send_json({"type": "typing", "id": str(self.seat.conversation_id), "who": "customer"})

    async def session_ended(self, _: Json) -> None:
        """An account or a role changed: perhaps this one's."""
        await self.recheck((await in_db(members_of, [self.session_key])).get(self.session_key))

    async def recheck(self, member: Member | None) -> bool:
        """Whether the socket may stay; it is closed when not."""
        if member is not None and member.roles and member.user.pk == self.user_id:
            return True
        rounds().remove(self)
        self._is_in = False
        await self.close(SIGNED_OUT if member is None or member.user.pk != self.user_id else NO_ROLE)
        return False

    async def caught_up(self, mark: tuple[int, int]) -> None:
        """Tell of events and notes that no push announced."""
        if mark[0] > self.mark[0] or mark[1] > self.mark[1]:
            self.mark = (max(mark[0], self.mark[0]), mark[1])
            await self._tell_event()
        self.mark = (self.mark[0], mark[1])

    async def show_seats(self, seats: list[presence.Seat]) -> None:
        """Tell who else is there, each by name once, if that changed."""
        if self.seat is None:
            return
        others = [seat for seat in seats if seat.user_id != str(self.user_id)]
        viewing = list(dict.fromkeys(seat.name for seat in others))
        replying = list(dict.fromkeys(seat.name for seat in others if seat.is_replying))
        if (viewing, replying) != self._shown:
            self._shown = (viewing, replying)
            place = str(self.seat.conversation_id)
            await self.send_json({"type": "presence", "id": place, "viewing": viewing, "replying": replying})

    async def _perform(self, frame: Json) -> None:
        if frame["type"] not in self.FRAMES:
            raise frames.BadFrame("There is no frame of this type.")
        await self.FRAMES[frame["type"]](self, frame)

    async def _ping(self, _: Json) -> None:
        await self.send_json({"type": "pong"})

    async def _read(self, frame: Json) -> None:
        await in_db(frames.read, self.session_key, frames.conversation_of(frame), frame.get("seq"))

    async def _watch(self, frame: Json) -> None:
        """Take a seat before a conversation: its events, its customer's typing and its other viewers are told."""
        conversation_id = frames.conversation_of(frame)
        if self.seat is not None and self.seat.conversation_id != conversation_id:
            await self._unwatch()
        for group in _groups_of(conversation_id):  # first: better told twice than never
            await self.join(group)
        try:
            self.mark = await in_db(frames.watch, self.session_key, conversation_id)
        except DeskError:
            await self._leave(conversation_id)
            raise
        self.seat = presence.Seat(conversation_id, self.channel_name, str(self.user_id), self._name)
        await self._sit()

    async def _unwatch(self, _: Json | None = None) -> None:
        if (seat := self.seat) is None:
            return
        self.seat, self._shown = None, ([], [])
        await self._leave(seat.conversation_id)
        await self._tell_seats(seat.conversation_id, await presence.leave(seat.conversation_id, seat.channel))

    async def _replying(self, frame: Json) -> None:
        if self.seat is None:
            return
        on = bool(frame.get("on"))
        if on != self.seat.is_replying:
            self.seat = replace(self.seat, is_replying=on)
            await self._sit()
        if on and time.monotonic() - self._typed_at >= TYPING_EVERY_S:
            self._typed_at = time.monotonic()
            await in_db(frames.tell_typing, self.session_key, self.seat.conversation_id)

    async def _sit(self) -> None:
        assert self.seat is not None
        place = self.seat.conversation_id
        everybody = await presence.take([self.seat])
        if place in everybody:
            await self.show_seats(everybody[place])
            await self._tell_seats(place, everybody[place])

    async def _tell_seats(self, place: UUID, seats: list[presence.Seat]) -> None:
        roster = [[seat.user_id, seat.name, seat.is_replying] for seat in seats]
        message = {"type": "inbox.presence", "id": str(place), "seats": roster}
        with suppress(Exception):  # the next round tells it
            await self.channel_layer.group_send(_watchers(place), message)

    async def _tell_event(self) -> None:
        assert self.seat is not None
        await self.send_json({"type": "event", "id": str(self.seat.conversation_id), "seq": self.mark[0]})

    async def _leave(self, conversation_id: UUID) -> None:
        for group in _groups_of(conversation_id):
            if group in self._groups:
                self._groups.remove(group)
                await self.channel_layer.group_discard(group, self.channel_name)

    FRAMES: ClassVar[dict[str, Callable[[InboxConsumer, Json], Awaitable[None]]]] = {
        "ping": _ping,
        "watch": _watch,
        "unwatch": _unwatch,
        "replying": _replying,
        "read": _read,
    }


def _groups_of(conversation_id: UUID) -> tuple[str, str]:
    return group_of(conversation_id), _watchers(conversation_id)


def _watchers(conversation_id: UUID) -> str:
    """The group of staff before a conversation; the customer's sockets are not in it."""
    return f"inbox.{conversation_id.hex}"
