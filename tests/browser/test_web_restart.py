"""The web process dies while an answer is on its way: the page comes back by itself and misses nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.browser.conftest import ANSWER_MS, Chat
from tests.stack import Stack

pytestmark = pytest.mark.timeout(180)


def web_processes(stack: Stack) -> set[int]:
    """The web processes that this product's launcher started."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_text()
        except OSError:
            continue  # it ended while we looked
        if parent == stack.process.pid and "support_agent.launch.web" in command:
            found.add(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads /proc")
def test_a_restarted_web_process_is_hardly_noticed(stack: Stack, chat: Chat) -> None:
    chat.open()
    chat.ask("Hello")
    before = web_processes(stack)
    assert before
    chat.write("How long do I have to return something?")
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    chat.answers.nth(1).wait_for(timeout=60_000)
    chat.connected()
    assert web_processes(stack).isdisjoint(before)
    assert chat.own.count() == 2
    chat.ask("And who pays for the label?")
    chat.page.reload()
    chat.answers.nth(2).wait_for(timeout=ANSWER_MS)
    assert chat.own.count() == 3
