"""Starts one MCP server and sees to its end: run as a script, with nothing of ours imported.

    python -I -S keeper.py <lifeline> <program> [argument …]

The lifeline is a pipe that our process holds open; when it closes, by whatever death, the whole process group goes.
"""

import contextlib
import os
import select
import signal
import sys
import time

GRACE_S = 1.0


def main() -> None:
    lifeline, program = int(sys.argv[1]), sys.argv[2:]
    child = os.fork()
    if child == 0:
        os.close(lifeline)
        with contextlib.suppress(OSError):
            os.execv(program[0], program)  # noqa: S606  # no shell: that is the point
        os._exit(127)
    os.close(0)
    os.close(1)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while not select.select([lifeline], [], [], 0.5)[0]:
        if os.waitpid(child, os.WNOHANG)[0]:
            break
    else:
        _wait(child)
    os.killpg(0, signal.SIGKILL)


def _wait(child: int) -> None:
    """Its stdin is closed: a well-behaved server ends by itself; then it is asked, then it is killed."""
    for seconds in (GRACE_S, GRACE_S):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if os.waitpid(child, os.WNOHANG)[0]:
                return
            time.sleep(0.02)
        os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    main()
