"""Server-written system messages inside a turn: appended, never inserted, and merged when two would meet.

A system message must follow a user or tool-result turn and be followed by the assistant (FACTS.md); what stands before
the newest message is never touched, so thinking blocks and the cached prefix stay valid.
"""

from __future__ import annotations

from support_agent.agent.types import Json


def append_notice(messages: list[Json], text: str) -> None:
    """Append a notice in place; merges with a notice that is already last."""
    if messages and messages[-1]["role"] == "system":
        messages[-1] = {"role": "system", "content": f"{messages[-1]['content']}\n\n{text}"}
    else:
        messages.append({"role": "system", "content": text})
