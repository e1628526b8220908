"""A confirmed action at an MCP server. The protocol has no key for repeating a call: a lost answer stays unknown, and
goes to a person."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from support_agent.models import McpTool
from tickets.backends.port import AnswerLost, Outcome, Refused, Unreachable
from tickets.errors import Conflict
from tickets.models import Action
from tickets.services.effects import Performer
from tickets.services.executors import Receipt

PREFIX = "mcp_"
GONE = "not_available"
CHANGED = "changed"


class McpPerformer:
    """Performs one tool's actions; what it asks is in support_agent/runtime/mcp/tools.py."""

    def perform(self, action: Action, *, key: str, approved_by: str) -> Receipt:
        """Raises Refused, Unreachable or AnswerLost."""
        from support_agent.runtime.mcp.spec import Trouble
        from support_agent.runtime.mcp.tools import Refusal, ask  # only where a server is configured

        row = McpTool.objects.offered().select_related("server").filter(name=action.tool).first()
        if row is None:
            raise Refused(GONE, _("This can no longer be done here. A person can help."))
        if row.pinned_digest != action.definition:  # what they confirmed is not what this tool does now
            raise Refused(CHANGED, _("Something changed meanwhile, so nothing was done. Please ask again."))
        try:
            answer = ask(row, action.arguments, action.customer, key=key)
        except Refusal as error:
            raise Refused("refused", _("The other system did not accept this. A person can help.")) from error
        except Trouble as error:
            raise (AnswerLost if error.sent else Unreachable)(str(error)) from error
        if answer.as_json()["status"] != "success":
            raise Refused("refused", _("The other system did not accept this. A person can help."))
        return Receipt({"message": _("It is done."), **_figures(answer.data["result"])})

    def undo(self, action: Action, *, key: str) -> None:
        raise Conflict(_("This cannot be undone here. A person can help."))

    def outcome(self, action: Action, *, key: str) -> Outcome:
        """Nobody can be asked what became of it."""
        return Outcome("unknown")


def _figures(result: Any) -> dict[str, Any]:
    """What a receipt shows of the answer: its first few plain values, such as a number. No texts of any length."""
    found = result.items() if isinstance(result, dict) else ()
    short = ((key, value) for key, value in found if isinstance(value, str | int | float) and len(str(value)) <= 80)
    return {key: value for key, value in islice(short, 6) if key not in ("card", "message", "error")}


def mcp_performer(tool: str) -> Performer | None:
    """For `tickets.services.effects.performers`."""
    return McpPerformer() if tool.startswith(PREFIX) else None
