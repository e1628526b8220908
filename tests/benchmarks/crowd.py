"""`python -m tests.benchmarks.crowd`: customers on sockets, in a process of its own, as browsers speak.

It reads people from standard input, one JSON line (tests/benchmarks/people.py, and `after`, the number of the last
event they have seen, so that nothing is caught up with), connects them, lets each say `--warm` messages, writes
`ready`, and waits for a line. Then each says a message, reads its answer to the turn's end, thinks for `--think`
seconds and says the next, for `--seconds` or `--turns` each; what is under way is read to its end. They begin one after
another within `--spread` seconds, so that they do not go in step. It writes one JSON line: the turns as {tag, said,
first, ended}, times of time.monotonic(), which all processes share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any
from uuid import uuid4

import aiohttp

QUESTIONS = {
    "fast": "Where is my order {order}? {tag}",
    "planned": "The strap of the tent in my order {order} has come off, and I wonder what would be best now. {tag}",
}
FIRST_TEXT = 'class="message assistant'  # of the first delta's fragment, or of a message so quick that it had none
PATIENCE_S = 120.0


@dataclass(slots=True)
class Turn:
    """One message and its answer; 0 is 'never'."""

    tag: str
    said: float
    first: float = 0.0
    ended: float = 0.0


@dataclass(slots=True)
class Person:
    """One customer in their conversation."""

    order: str
    socket: aiohttp.ClientWebSocketResponse
    question: str
    turns: list[Turn] = field(default_factory=list)
    frames: int = 0

    async def ask(self) -> None:
        """Say one message and read to the end of its turn. Raises TimeoutError, or EOFError when the line is cut."""
        turn = Turn(f"#{uuid4().hex[:12]}", time.monotonic())
        self.turns.append(turn)
        text = self.question.format(order=self.order, tag=turn.tag)
        await self.socket.send_str(json.dumps({"type": "message", "client_message_id": str(uuid4()), "text": text}))
        async with asyncio.timeout(PATIENCE_S):
            async for frame in self.socket:
                self.frames += 1
                if not turn.first and FIRST_TEXT in frame.data:
                    turn.first = time.monotonic()
                elif _ends_turn(frame.data):
                    turn.ended = time.monotonic()
                    return
        raise EOFError(f"the socket was closed with {self.socket.close_code}")


def _ends_turn(fragment: str) -> bool:
    """The event `turn` moves the cursor and clears the growing text, and has nothing to show."""
    return 'id="cursor"' in fragment and '"#live"' in fragment and '"#messages"' not in fragment


class Crowd:
    """All of them, in one event loop."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._people: list[Person] = []

    async def run(self) -> dict[str, Any]:
        known = json.loads(sys.stdin.readline())
        async with self._connected(known):
            await asyncio.gather(*(self._say(person, turns=self._options.warm) for person in self._people))
            for person in self._people:
                person.turns, person.frames = [], 0
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.readline)
            began = time.monotonic()
            until = began + self._options.seconds if self._options.seconds else None
            apart = self._options.spread / max(1, len(self._people))
            ends = await asyncio.gather(
                *(
                    self._say(person, turns=self._options.turns, until=until, after=apart * number)
                    for number, person in enumerate(self._people)
                ),
                return_exceptions=True,
            )
            ended = time.monotonic()
        return {
            "began": began,
            "ended": ended,
            "frames": sum(person.frames for person in self._people),
            "failures": [repr(end) for end in ends if end is not None],
            "turns": [asdict(turn) for person in self._people for turn in person.turns],
        }

    @asynccontextmanager
    async def _connected(self, known: list[dict[str, str]]) -> Any:
        bases: Iterator[str] = cycle(self._options.webs.split(","))
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            gate = asyncio.Semaphore(20)

            async def connect(one: dict[str, str], base: str) -> None:
                url = f"{base}/ws/chat/{one['conversation']}/?format=html&after={one['after']}"
                url += f"&token={one['token']}"
                async with gate:
                    socket = await session.ws_connect(url, max_msg_size=0, heartbeat=None)
                question = QUESTIONS[self._options.question]
                self._people.append(Person(one["order"], socket, question))

            await asyncio.gather(*(connect(one, next(bases)) for one in known))
            yield
            await asyncio.gather(*(person.socket.close() for person in self._people))

    async def _say(self, person: Person, *, turns: int, until: float | None = None, after: float = 0.0) -> None:
        """So many turns, or as many as begin before `until`. Who thinks begins at a moment of their own."""
        think = self._options.think
        await asyncio.sleep(after)
        if think and until is not None:
            await asyncio.sleep(random.random() * think)
        while turns > 0 or (until is not None and time.monotonic() < until):
            await person.ask()
            turns -= 1
            if think and until is not None:
                await asyncio.sleep(think)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--webs", required=True, help="ws://127.0.0.1:8000,…")
    parser.add_argument("--question", choices=sorted(QUESTIONS), default="fast")
    parser.add_argument("--warm", type=int, default=1)
    parser.add_argument("--turns", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--think", type=float, default=0.0)
    parser.add_argument("--spread", type=float, default=0.0)
    found = asyncio.run(Crowd(parser.parse_args()).run())
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
