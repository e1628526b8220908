"""The supervisor: what dies is started again, and nothing is left at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support_agent.launch.supervisor import Program, Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent


def script(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)


async def test_what_dies_is_started_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "starts"
    dying = script(f"open({str(mark)!r}, 'a').write('x'); print('hello'); raise SystemExit(3)")
    supervisor = Supervisor([Program("dying", dying)], os.environ)
    task = asyncio.create_task(supervisor.run())
    await until(lambda: mark.exists() and len(mark.read_text()) >= 2)
    supervisor.stop()
    await task
    said = capfd.readouterr().out
    assert "dying │ hello" in said
    assert "dying │ ended (exit code 3); starting it again in 0.5 s" in said


async def test_the_end_reaches_children_of_children(tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    parent = script(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid) + '\\n')\n"
        "time.sleep(600)"
    )
    supervisor = Supervisor([Program("parent", parent)], os.environ)
    task = asyncio.create_task(supervisor.run())
    await until(lambda: note.exists() and note.read_text().endswith("\n"))
    grandchild = int(note.read_text())
    assert alive(grandchild)
    supervisor.stop()
    await asyncio.wait_for(task, 10)
    await until(lambda: not alive(grandchild))


async def test_one_that_will_not_end_is_killed() -> None:
    stubborn = script("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); time.sleep(600)")
    supervisor = Supervisor([Program("stubborn", stubborn)], os.environ, grace=0.5)
    task = asyncio.create_task(supervisor.run())
    await until(lambda: "stubborn" in supervisor.processes)
    await asyncio.sleep(0.2)
    supervisor.stop()
    await asyncio.wait_for(task, 10)
    assert not alive(supervisor.processes["stubborn"].pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
async def test_they_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    note = tmp_path / "child"
    child = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid()) + '\\n'); time.sleep(600)"
    keeper = subprocess.Popen(  # noqa: ASYNC220 - it is over before anything else happens
        script(
            "import asyncio, os, sys\n"
            "from support_agent.launch.supervisor import Program, Supervisor\n"
            f"asyncio.run(Supervisor([Program('child', [sys.executable, '-c', {child!r}])], os.environ).run())"
        ),
        cwd=ROOT,
    )
    await until(lambda: note.exists() and note.read_text().endswith("\n"))
    pid = int(note.read_text())
    keeper.send_signal(signal.SIGKILL)
    keeper.wait()
    await until(lambda: not alive(pid))
