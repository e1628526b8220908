"""A crowd at the door: idle sockets, deaf ones, huge frames and floods. Memory stays bounded, a customer goes on."""

from __future__ import annotations

import asyncio
import socket
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.faults.crowds import Idle, Live, Place, begin, deaf, frame, idle, p95, spread
from tests.stack import Stack, running_stack

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900), pytest.mark.xdist_group("pressure")]
SCALE = 20  # all of this comes from one address
IDLE, DEAF = 2000, 500
PAST, SIZE = 150, 9900  # events each of the deaf is owed, and the bytes of one
PER_CONVERSATION = 20
MB = 1024.0


@pytest.fixture(scope="module")
def crowded() -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.stack.START_SECONDS", 600.0)
        with running_stack("pressure", RATE_LIMIT_SCALE=str(SCALE), DEMO="false") as running:
            yield running


def web_pid(stack: Stack) -> int:
    """The web process, a child of the launcher."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"support_agent.launch.web" in command and parent == stack.process.pid:
            return int(path.name)
    raise AssertionError("There is no web process.")


def note(line: str) -> None:
    """A figure for docs/pressure.md; seen with `-s`."""
    sys.stdout.write(f"\n{line}\n")


def rss_mb(pid: int) -> float:
    """What it holds now, in MB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / MB


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def places(stack: Stack, sockets: int, each: int = PER_CONVERSATION) -> list[Place]:
    return [begin(stack.url) for _ in range(-(-sockets // each))]


FILL = """
from uuid import uuid4
from tickets.models import Conversation, Event, Message
words = "lorem ipsum " * 400
for c in Conversation.objects.filter(pk__in={ids!r}):
    seqs = range(c.last_seq + 1, c.last_seq + 1 + {past})
    what = {{"conversation": c, "role": "customer", "text": words, "html": words}}
    said = [Message(seq=n, client_message_id=uuid4(), **what) for n in seqs]
    Message.objects.bulk_create(said)
    Event.objects.bulk_create([Event(conversation=c, seq=m.seq, type="message", payload={{}}, message=m) for m in said])
    Conversation.objects.filter(pk=c.pk).update(last_seq=seqs[-1])
"""


def fill(stack: Stack, ids: list[str]) -> None:
    """A long past for each conversation."""
    stack.manage("shell", "-c", FILL.format(ids=ids, past=PAST))


async def calm(live: Live) -> str:
    """Some rounds before anything happens."""
    until = asyncio.Event()
    task = asyncio.create_task(live.go_on(until, pause=0.1))
    await asyncio.sleep(10)
    until.set()
    await task
    return live.figures()


async def test_idle_and_deaf_sockets(crowded: Stack) -> None:
    """2,000 sockets idle, 500 ask for everything and read nothing; a customer beside them is answered."""
    pid = web_pid(crowded)
    here, homes = (
        await asyncio.to_thread(begin, crowded.url),
        await asyncio.to_thread(places, crowded, IDLE, PER_CONVERSATION - 1),
    )
    before = Live(here)
    note(f"live customer before: {await calm(before)}")
    start, until, during = rss_mb(pid), asyncio.Event(), Live(await asyncio.to_thread(begin, crowded.url))
    crowd: list[Idle] = []
    for home in homes:  # a place is left in each
        crowd += await asyncio.gather(*(idle(home) for _ in range(PER_CONVERSATION - 1)))
    assert not [code for one in crowd for code in one.codes]
    with_idle, cpu = rss_mb(pid), cpu_s(pid)
    note(f"{IDLE} idle: {start:.0f} -> {with_idle:.0f} MB, {(with_idle - start) * 1024 / IDLE:.0f} KB each")
    mute = await asyncio.gather(*(deaf(home) for home in homes[:10]))  # nothing to read but pings, and no pong
    await asyncio.sleep(30)
    note(f"CPU of {IDLE} idle sockets: {100 * (cpu_s(pid) - cpu) / 30:.1f} % of a core")
    targets = await asyncio.to_thread(places, crowded, DEAF)
    await asyncio.to_thread(fill, crowded, [target.id for target in targets])
    living, level = asyncio.create_task(during.go_on(until)), rss_mb(pid)
    ears = []
    peak = level
    for target in targets:
        ears += await asyncio.gather(*(deaf(target) for _ in range(PER_CONVERSATION)))
        peak = max(peak, rss_mb(pid))
    for _ in range(80):
        await asyncio.sleep(0.5)
        peak = max(peak, rss_mb(pid))
    asked = DEAF * PAST * SIZE / MB / MB
    note(f"{DEAF} deaf, who were owed about {asked:.0f} MB: {level:.0f} -> {peak:.0f} MB at most")
    until.set()
    await living
    note(f"live customer during: {during.figures()}")
    assert not [one for one in crowd if one.is_lost], "idle sockets that answer pings stay"
    assert with_idle - start < IDLE * 0.15
    assert peak - level < DEAF * 0.6
    assert p95(during.pongs) < max(10.0, 20 * p95(before.pongs))
    assert all(_is_closed(one) for one in mute), "who answers no ping is gone"
    for one in crowd:
        one.transport.abort()
    gone = [ear for ear in ears if _is_closed(ear)]
    for ear in ears:
        ear.close()
    assert len(gone) == DEAF, "who does not read is closed"


def _is_closed(ear: socket.socket) -> bool:
    """Whether, behind what it never read, the line ends."""
    try:
        while ear.recv(1 << 16):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


async def test_frames_of_ten_megabytes(crowded: Stack) -> None:
    pid, home = web_pid(crowded), await asyncio.to_thread(begin, crowded.url)
    lines = await asyncio.gather(*(idle(home) for _ in range(PER_CONVERSATION)))
    before = rss_mb(pid)
    for line in lines:
        line.transport.write(frame(0x1, b"x" * 10 * 1024 * 1024))
    async with asyncio.timeout(60):
        await asyncio.gather(*(line.end.wait() for line in lines))
    after = rss_mb(pid)
    note(f"20 frames of 10 MB: {before:.0f} -> {after:.0f} MB, codes {Counter(c for x in lines for c in x.codes)}")
    assert {code for line in lines for code in line.codes} <= {1009}
    assert after - before < 40
    for line in lines:
        line.transport.abort()


async def test_a_socket_that_floods(crowded: Stack) -> None:
    """Twenty sockets send as fast as they can, without reading; they are cut off and the customer goes on."""
    pid = web_pid(crowded)
    live, until = Live(await asyncio.to_thread(begin, crowded.url)), asyncio.Event()
    home = await asyncio.to_thread(begin, crowded.url)
    lines = await asyncio.gather(*(idle(home) for _ in range(PER_CONVERSATION)))
    before, living = rss_mb(pid), asyncio.create_task(live.go_on(until))
    storm = frame(0x1, b'{"type": "ping"}') * 500 + frame(0x1, b"no json at all") * 500
    peak = before
    async with asyncio.timeout(300):
        while not all(line.codes or line.is_lost for line in lines):
            for line in lines:
                if not line.is_lost and not line.codes and line.transport.get_write_buffer_size() < 1 << 20:
                    line.transport.write(storm)
            peak = max(peak, rss_mb(pid))
            await asyncio.sleep(0.01)
    until.set()
    await living
    note(f"20 floods: {before:.0f} -> {peak:.0f} MB; live customer {live.figures()}")
    assert {code for line in lines for code in line.codes} <= {4429}
    assert peak - before < 60
    assert p95(live.pongs) < 10


async def test_a_flood_of_requests(crowded: Stack) -> None:
    """No answer but 200, 429 or 503, no more database connections than the pool has, and the socket beside lives."""
    live, until = Live(await asyncio.to_thread(begin, crowded.url)), asyncio.Event()
    living = asyncio.create_task(live.go_on(until))
    most = 0
    threads = ThreadPoolExecutor(300)
    loop = asyncio.get_running_loop()
    asked = [loop.run_in_executor(threads, _status, f"{crowded.url}/help/?q=return+{n}") for n in range(3000)]
    while not all(one.done() for one in asked):
        most = max(most, await asyncio.to_thread(_connections, crowded))
        await asyncio.sleep(0.5)
    found = Counter(await asyncio.gather(*asked))
    until.set()
    await living
    threads.shutdown()
    note(f"3,000 searches by 300 at once: {dict(found)}, {most} connections; live customer {live.figures()}")
    assert set(found) <= {200, 429, 503}
    assert found[200]
    assert found[429], "60 searches a minute, times the scale"
    assert p95(live.pongs) < 10, spread(live.pongs)


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def _connections(stack: Stack) -> int:
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(row[0]) if row else 0
