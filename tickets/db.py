"""The one way from async code to the ORM: a small pool of threads, a connection given back after every call.

What a call publishes after its commit is collected and sent from the caller's own event loop (tickets.publishing).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from django.db import connection

from tickets.publishing import Frame, outbox, send_frames

P = ParamSpec("P")
R = TypeVar("R")
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="db")


async def in_db(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a synchronous function with ORM access in a thread, then announce what it committed."""
    frames: list[Frame] = []

    def call() -> R:
        outbox.set(frames)
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()  # back to the pool; an idle thread must hold none

    context = copy_context()
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, context.run, call)
    finally:
        if frames:
            await send_frames(frames)
