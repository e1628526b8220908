"""How a tool's definition, and what changed in it, look on its page."""

from __future__ import annotations

import difflib
import json

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from support_agent.models import McpTool
from support_agent.runtime.mcp.schemas import Unusable, input_schema


def arguments_shown(tool: McpTool) -> SafeString:
    """The definition as it is listed, with what keeps it from being allowed."""
    text = json.dumps(tool.definition, indent=2, ensure_ascii=False, sort_keys=True)
    try:
        input_schema(tool.definition)
        trouble = ""
    except Unusable as error:
        trouble = f"It cannot be allowed. {error}"
    return (
        format_html(
            '<p class="bad">{}</p><pre class="mcp-definition" tabindex="0" aria-label="Definition">{}</pre>',
            trouble,
            text,
        )
        if trouble
        else format_html('<pre class="mcp-definition" tabindex="0" aria-label="Definition">{}</pre>', text)
    )


def difference(tool: McpTool) -> SafeString | str:
    """Line by line, from what staff allowed to what is listed now."""
    if not tool.pinned_digest or tool.pinned_digest == tool.digest:
        return "Nothing since it was allowed." if tool.pinned_digest else "It was never allowed."
    before, after = (
        json.dumps(one, indent=2, ensure_ascii=False, sort_keys=True).splitlines()
        for one in (tool.pinned, tool.definition)
    )
    lines = [
        line for line in difflib.unified_diff(before, after, lineterm="", n=2) if not line.startswith(("---", "+++"))
    ]
    if not lines:
        return "Something that is not kept in full: its texts are too long."
    kinds = {"+": "added", "-": "removed"}
    rows = format_html_join("", '<span class="{}">{}</span>', ((kinds.get(line[0], "same"), line) for line in lines))
    return format_html('<pre class="mcp-diff" tabindex="0" aria-label="What has changed">{}</pre>', rows)
