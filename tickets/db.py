"""The one way from async code to the ORM: a small pool of threads, a connection given back after every call.
The caller's language goes with it.

What a call publishes after its commit is collected and sent from the caller's own event loop (tickets.publishing).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from django.db import connection
from django.utils import translation

from tickets.publishing import Frame, outbox, send_frames

P = ParamSpec("P")
R = TypeVar("R")
THREADS = 8  # as many connections at most
_threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="db")
OUTSIDE_THREADS = 64  # they wait for other systems, and hold a connection only while they use it
_outside_threads = ThreadPoolExecutor(max_workers=OUTSIDE_THREADS, thread_name_prefix="outside")


async def in_db(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a synchronous function with ORM access in a thread, then announce what it committed."""
    return await _in_thread(_threads, function, *args, **kwargs)


async def outside(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for a function that asks another system: in threads of their own, so that a slow one stops nobody.

    Whoever goes out calls `release` first: a connection must not wait for somebody else's server.
    """
    return await _in_thread(_outside_threads, function, *args, **kwargs)


def release() -> None:
    """Give this thread's connection back before a wait; the next query takes another. Raises RuntimeError inside a
    transaction, which nobody may hold open that long."""
    if connection.in_atomic_block:
        raise RuntimeError("Another system must not be asked with a transaction open.")
    connection.close()


async def _in_thread(threads: ThreadPoolExecutor, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    frames: list[Frame] = []
    language = translation.get_language()  # asgiref's locals stay with their thread, so this one goes along by hand

    def call() -> R:
        outbox.set(frames)
        try:
            with translation.override(language):
                return function(*args, **kwargs)
        finally:
            connection.close()  # back to the pool; an idle thread must hold none

    loop = asyncio.get_running_loop()
    work = threads.submit(copy_context().run, call)
    try:
        return await asyncio.wrap_future(work)
    finally:
        if not work.done():  # we are cancelled, the thread goes on: what it commits is announced all the same
            work.add_done_callback(lambda _: _announce_soon(loop, frames))
        elif frames:
            await send_frames(frames)


def _announce_soon(loop: asyncio.AbstractEventLoop, frames: list[Frame]) -> None:
    """Send them from their own loop, if it is still there; sockets catch up by `seq` when it is not."""
    with suppress(RuntimeError):
        asyncio.run_coroutine_threadsafe(send_frames(frames), loop)
