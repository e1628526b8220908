"""The ready answers of the demo's staff, from canned.yaml."""

from __future__ import annotations

from collections.abc import Mapping

from tickets.demo.content import content
from tickets.demo.world import World
from tickets.models import CannedReply, Team


def seed_canned(world: World, teams: Mapping[str, Team]) -> None:
    """All of them, as old as the shop's desk; a shortcut that staff made already is kept."""
    taken = {shortcut.lower() for shortcut in CannedReply.objects.values_list("shortcut", flat=True)}
    for entry in content("canned"):
        if entry["shortcut"] not in taken:
            team = teams[entry["team"]] if "team" in entry else None
            texts = {name: entry[name] for name in ("shortcut", "title", "text")}
            world.add(CannedReply, world.ago(days=300), team=team, **texts)
