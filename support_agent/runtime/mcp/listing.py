"""What servers list, as rows: what is new or has changed waits for staff."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from support_agent.models import McpServer, McpTool
from support_agent.runtime.mcp.schemas import digest, tool_name
from support_agent.runtime.mcp.spec import Trouble, spec_of
from tickets.access import require_role
from tickets.db import release
from tickets.models import Role, User
from tickets.sealing import Unreadable
from tickets.services.audit import audit

Json = dict[str, Any]
State = McpTool.State
MAX_STORED = 40_000  # characters of one definition
MAX_TEXT = 4_000


def server_list(*, server: McpServer, staff: User) -> str:
    """Ask a server for its tools: what went wrong, in a sentence, or ''. Called with no transaction open."""
    require_role(staff, Role.ADMIN)
    from support_agent.runtime.mcp import sessions  # heavy; only where a server is asked

    trouble = ""
    try:
        spec = spec_of(server)
        release()
        definitions = sessions.list_tools(spec)
    except (Trouble, Unreadable, sessions.Denied) as error:
        trouble, definitions = str(error)[:300], []
    with transaction.atomic():
        if not trouble:
            definitions_note(server_id=server.pk, definitions=definitions)
        McpServer.objects.filter(pk=server.pk).update(trouble=trouble)
        audit(actor=staff, action="mcpserver.list", obj=server, changes={"tools": (None, len(definitions))})
    return trouble


@transaction.atomic
def definitions_note(*, server_id: UUID, definitions: Sequence[Json]) -> None:
    """Write down what a server lists now; an allowed tool that differs is no longer offered (and alerted:
    runtime/alert_checks.py)."""
    # All of them, since the names of all servers' tools are kept apart: `shop` + `x_y` is `shop_x` + `y`.
    server = {one.pk: one for one in McpServer.objects.select_for_update().order_by("pk")}[server_id]
    taken = set(McpTool.objects.values_list("name", flat=True))
    McpServer.objects.filter(pk=server_id).update(listed_at=timezone.now())
    known = {row.tool: row for row in server.tools.all()}
    listed = {str(one["name"])[:128]: one for one in definitions}
    for name, definition in listed.items():
        row = known.get(name) or McpTool(server=server, tool=name, name=tool_name(server.name, name, taken))
        _note(row, definition)
        taken.add(row.name)
    for name, row in known.items():
        if name not in listed and row.state != State.GONE:
            row.state = State.GONE
            row.save(update_fields=["state", "changed_at"])


def _note(row: McpTool, definition: Json) -> None:
    row.digest, row.definition = digest(definition), stored(definition)
    row.title = str(row.definition.get("title") or "")[:120]
    same = bool(row.pinned_digest) and row.pinned_digest == row.digest
    if row.state == State.ALLOWED and not same:
        row.state = State.CHANGED
    elif row.state in (State.GONE, State.CHANGED) and row.pinned_digest:
        row.state = State.ALLOWED if same else State.CHANGED
    elif row.state == State.GONE:
        row.state = State.NEW
    row.save()


def stored(definition: Json) -> Json:
    """A definition as it is kept: without what PostgreSQL refuses, its texts within bounds."""
    whole: Json = json.loads(json.dumps(definition).replace("\\u0000", ""))
    for name in ("title", "description"):
        if name in whole:
            whole[name] = str(whole[name])[:MAX_TEXT]
    if len(json.dumps(whole)) > MAX_STORED:
        whole = {"name": whole["name"], "description": "Too long to be kept, so it cannot be allowed."}
    return whole
