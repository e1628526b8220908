"""`python -m support_agent.launch`: servers, data, then web, runner, worker and scheduler until Ctrl-C.

With arguments it is manage.py with the same defaults: `python -m support_agent.launch doctor`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress

from dotenv import dotenv_values

from support_agent.embedded import Postgres, Valkey, servers
from support_agent.embedded.holding import EmbeddedError, Server, revive
from support_agent.env import BASE_DIR, Env, read_env
from support_agent.launch.checks import database_trouble, redis_trouble
from support_agent.launch.stamp import remembered
from support_agent.launch.supervisor import Program, Supervisor

MANAGE = [sys.executable, str(BASE_DIR / "manage.py")]
PROGRAMS = (
    Program("web", [sys.executable, "-m", "support_agent.launch.web"]),
    Program("runner", [*MANAGE, "run_agents", "--skip-checks"]),
    Program("worker", [*MANAGE, "rqworker-pool", "--verbosity", "0", "--skip-checks"]),
    Program("scheduler", [*MANAGE, "rqcron", "--logging-level", "WARNING", "--skip-checks"]),
)


def main() -> None:
    """Raises SystemExit with one sentence for everything that can be said in one."""
    noted = dotenv_values(BASE_DIR / ".env")
    for name in ("DEBUG", "DEMO"):  # trying things out is what this command is for
        if not (os.environ.get(name) or noted.get(name)):
            os.environ[name] = "true"
    if sys.argv[1:]:
        os.execv(sys.executable, [*MANAGE, *sys.argv[1:]])  # noqa: S606 - this process becomes it
    env = read_env()
    _check_port(env)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        with servers(env.data_dir, postgres=not env.database_url, valkey=not env.redis_url):
            _serve(env)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _check_port(env: Env) -> None:
    family = socket.AF_INET6 if ":" in env.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((env.host.strip("[]"), env.port))
        except OSError as error:
            if error.errno in (98, 48):
                other = env.port + 1 if env.port < 65535 else 8000
                raise SystemExit(
                    f"Port {env.port} is taken by another program: stop that, or choose another port with "
                    f"PORT={other} make run."
                ) from None
            raise SystemExit(f"Nothing can listen on HOST {env.host}, PORT {env.port}: {error.strerror}.") from None


def _serve(env: Env) -> None:
    urls = {
        "DATABASE_URL": env.database_url or Postgres(env.data_dir / "postgres").url,
        "REDIS_URL": env.redis_url or Valkey(env.data_dir / "valkey").url,
    }
    trouble = database_trouble(urls["DATABASE_URL"]) or redis_trouble(urls["REDIS_URL"])
    if trouble:
        raise SystemExit(trouble)
    environment = {**os.environ, **urls, "PYTHONUNBUFFERED": "1"}
    logins = remembered(env, urls["DATABASE_URL"])
    if logins is None:
        # In a process of its own, whose memory goes with it.
        prepared = subprocess.run([sys.executable, "-m", "support_agent.launch.prepare"], env=environment)
        if prepared.returncode:
            raise SystemExit(prepared.returncode)
        logins = remembered(env, urls["DATABASE_URL"]) or {}
    asyncio.run(_supervise(env, environment, logins))


async def _supervise(env: Env, environment: dict[str, str], logins: dict[str, str]) -> None:
    supervisor = Supervisor(PROGRAMS, environment)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stop)

    async def announce() -> None:
        missing = await _until_ready(env)
        print(_banner(env, logins, missing), flush=True)  # noqa: T201

    async def watch() -> None:
        parent = os.getppid()
        while True:
            await asyncio.sleep(1)
            if os.getppid() != parent:  # make or the terminal is gone
                supervisor.stop()
            await asyncio.to_thread(_revive, env, supervisor)

    await supervisor.run(announce, watch)


def _revive(env: Env, supervisor: Supervisor) -> None:
    held: dict[str, Server] = {}
    if not env.database_url:
        held["database"] = Postgres(env.data_dir / "postgres")
    if not env.redis_url:
        held["redis"] = Valkey(env.data_dir / "valkey")
    for name, server in held.items():
        try:
            if not server.running() and not supervisor.stopping and revive(server):
                supervisor.say(name, "ended; started it again")
        except EmbeddedError as error:
            supervisor.say(name, str(error))


async def _until_ready(env: Env) -> str:
    """Wait until /readyz says yes; after a minute, give what it misses."""
    missing = "the web server does not answer"
    for _ in range(300):
        await asyncio.sleep(0.2)
        missing = await asyncio.to_thread(_missing, env)
        if not missing:
            break
    return missing


def _missing(env: Env) -> str:
    try:
        with urllib.request.urlopen(f"{env.origin}/readyz", timeout=5):  # noqa: S310 - our own address
            return ""
    except urllib.error.HTTPError as error:
        with suppress(ValueError):
            return ", ".join(json.load(error)["missing"])
        return f"/readyz answers {error.code}"
    except OSError as error:
        return f"the web server does not answer ({error})"


def _banner(env: Env, logins: dict[str, str], missing: str) -> str:
    lines = [
        "",
        f"Not everything is ready: {missing}. See the lines above, or run make doctor." if missing else "Ready.",
        f"  Chat         {env.origin}/",
        f"  Help centre  {env.origin}/help/",
        f"  Inbox        {env.origin}/admin/inbox/",
        f"  Traces       {env.origin}/admin/traces/",
    ]
    if env.demo:
        lines.append(f"  Demo mail    {env.origin}/demo/mail/")
        lines += [f"  {who:<12} {login}" for who, login in logins.items()]
    if env.demo_model:
        lines.append("  Model        the built-in demo model (set ANTHROPIC_API_KEY for the real one)")
    return "\n".join([*lines, "  Ctrl-C ends everything.", ""])


if __name__ == "__main__":
    main()
