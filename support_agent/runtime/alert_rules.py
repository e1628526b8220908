"""The table of alerts: what each kind means, how bad it is, and where the runbook tells what to do.

A kind's anchor in docs/runbook.md is `alert-<kind>`; tests/runtime/test_alert_rules.py holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from support_agent.models import Alert

INFO, WARNING, PAGE = Alert.Severity.INFO.value, Alert.Severity.WARNING.value, Alert.Severity.PAGE.value
RUNBOOK = "docs/runbook.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """`wait` is how long a condition must stand before it is told: a restart is nobody's concern."""

    kind: str
    severity: str
    label: str
    means: str
    wait: timedelta = timedelta(0)
    pages: tuple[tuple[str, str], ...] = ()  # (words, path): where to look first

    @property
    def anchor(self) -> str:
        return f"alert-{self.kind.replace('_', '-')}"


INBOX = ("Who waits", "/admin/inbox/")
ERRORS = ("Traces with errors", "/admin/traces/?errors=1")
FAILED = ("Failed turns", "/admin/traces/?state=failed")
TOOLS = ("Tool health", "/admin/ops/#tools")
CONTROLS = ("Switches and breakers", "/admin/ops/controls/#switches")
LIMITS = ("Limits", "/admin/ops/controls/#limits")
MCP_TOOLS = ("Tools of MCP servers", "/admin/support_agent/mcptool/")
QUEUES = ("Queues", "/django-rq/")
PROMPTS = ("Prompts", "/admin/ops/prompts/")
EVALS = ("Evaluation runs", "/admin/evals/")
ROUTES = ("Where alerts go", "/admin/ops/alerts/#routes")

_TABLE = (
    Rule("budget", WARNING, "Budget", "A limit of what may be spent is near, or reached.", pages=(LIMITS,)),
    Rule("breaker", WARNING, "System breaker", "A system breaker turned a switch.", pages=(CONTROLS, ERRORS)),
    Rule("tool_breaker", WARNING, "Tool breaker", "A tool failed so often that it is left alone.",
         pages=(TOOLS, ERRORS)),
    Rule("mcp_tool", WARNING, "MCP tool changed", "A tool of an MCP server is another than the one staff allowed.",
         pages=(MCP_TOOLS,)),
    Rule("turn_failures", WARNING, "Failed turns", "Turns end in a failure that customers see.",
         pages=(FAILED,)),
    Rule("model_failures", WARNING, "Model calls fail", "The model's provider answers badly or not at all.",
         pages=(ERRORS, CONTROLS)),
    Rule("tool_failures", WARNING, "Tool calls fail", "A tool often fails or answers only in part.",
         pages=(TOOLS, ERRORS)),
    Rule("acceptance", WARNING, "Answers rejected", "The critic refuses many answers: the prompt is at fault.",
         pages=(PROMPTS, ERRORS)),
    Rule("sla", WARNING, "Promise missed", "Customers wait past the time we promised.",
         timedelta(minutes=1), pages=(INBOX,)),
    Rule("queue", PAGE, "Queue too old", "Nobody takes those who wait for a person.",
         timedelta(minutes=1), pages=(INBOX,)),
    Rule("nobody", PAGE, "Nobody there", "The desk is open, customers wait, and nobody is available.",
         timedelta(minutes=5), pages=(INBOX,)),
    Rule("turns", PAGE, "Turns wait", "Customers wait for an answer that nobody works on.",
         timedelta(minutes=1), pages=(("Queued turns", "/admin/traces/?state=queued"),)),
    Rule("runner", PAGE, "No runner", "No process runs turns: the assistant is silent.",
         timedelta(seconds=90), pages=(("Live processes", "/admin/support_agent/heartbeat/"),)),
    Rule("worker", PAGE, "No worker", "Nobody does the jobs: e-mails, codes and these checks stand still.",
         timedelta(seconds=90), pages=(QUEUES,)),
    Rule("jobs", WARNING, "Jobs fail", "Background jobs fail for good, or pile up.", pages=(QUEUES,)),
    Rule("evals", WARNING, "Evaluation got worse", "The nightly evaluation fails cases, or cannot be run.",
         pages=(EVALS, PROMPTS)),
    Rule("route", WARNING, "Alerts do not arrive", "A route takes no alerts any more.", pages=(ROUTES,)),
)  # fmt: skip
RULES = {rule.kind: rule for rule in _TABLE}


def rule_of(kind: str) -> Rule:
    """A kind's rule; one that the table does not know is a warning with the runbook's general section."""
    return RULES.get(kind) or Rule(kind, WARNING, kind.replace("_", " ").capitalize(), "")


def anchor_of(kind: str) -> str:
    return RULES[kind].anchor if kind in RULES else "alerts"
