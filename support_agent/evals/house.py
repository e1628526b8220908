"""For whom the assistant speaks in a run: the real workspace's name and voice, over everything else of the cases' own.

Hours, figures of the policy and number formats stay those that the cases were written for.
"""

from __future__ import annotations

from dataclasses import replace

from tickets.workspace import DEFAULT, Workspace, workspace


def speaking_house() -> Workspace:
    """As it is in the real database; read before the throw-away one takes its place."""
    real = workspace()
    return replace(DEFAULT, name=real.name, tone=real.tone, house_style=real.house_style)
