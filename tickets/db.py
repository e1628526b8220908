"""The one way from async code to the ORM: a small pool of threads, a connection given back after every call.

What a call publishes after its commit (tickets.events) is collected here and sent from the caller's own event loop,
because a thread of this pool has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any, ParamSpec, TypeVar

from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")
Frame = tuple[str, dict[str, Any]]  # (channel-layer group, message)

_outbox: ContextVar[list[Frame] | None] = ContextVar("outbox", default=None)
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="db")


def collect(frame: Frame) -> bool:
    """Put a frame into the running call's outbox; False when there is none (a plain synchronous caller)."""
    outbox = _outbox.get()
    if outbox is None:
        return False
    outbox.append(frame)
    return True


async def in_db(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a synchronous function with ORM access in a thread, then announce what it committed."""
    from tickets.events import send_frames

    outbox: list[Frame] = []

    def call() -> R:
        _outbox.set(outbox)
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()  # back to the pool; an idle thread must hold none

    context = copy_context()
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, context.run, call)
    finally:
        if outbox:
            await send_frames(outbox)
