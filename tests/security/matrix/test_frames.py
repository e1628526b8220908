"""Every frame of the customers' socket by everybody, and with what is somebody else's: through its own dispatch."""

from __future__ import annotations

import json
from typing import Any, get_args
from uuid import uuid4

import pytest
from django.db import transaction

from support_agent.chat import commands, frames
from support_agent.chat.visitors import SignedOut
from tests.security.matrix.asking import written
from tests.security.matrix.table import Table, compare
from tests.security.matrix.test_pages import EVERYBODY
from tests.security.matrix.world import MISSING, Actor, Place, World
from tickets.errors import DeskError

pytestmark = pytest.mark.django_db
Json = dict[str, Any]

# Every field of every frame: the name of the thing it points at, or None when it names none.
FIELDS: dict[str, str | None] = {
    "attachments": "attachment_id",
    "action_id": "action_id",
    "message_id": "message_id",
    **dict.fromkeys(("type", "client_message_id", "text", "token", "approve", "email", "code"), None),
    **dict.fromkeys(("seq", "helpful", "reason", "cause", "rating", "comment", "dismiss", "again"), None),
}


def frame_of(kind: str, place: Place) -> Json:
    """One that means something about the things of a place."""
    more: dict[str, Json] = {
        "message": {"client_message_id": str(uuid4()), "text": "Hello", "attachments": [place.ids["attachment_id"]]},
        "confirm": {"action_id": place.ids["action_id"], "token": place.click, "approve": True},
        "undo": {"action_id": place.ids["action_id"]},
        "renew": {"action_id": place.ids["action_id"]},
        "verify": {"email": "olivia.owner@example.com"},
        "contact": {"email": "somebody@example.com"},
        "read": {"seq": 1},
        "feedback": {"message_id": place.ids["message_id"], "helpful": True},
        "survey": {"rating": 5},
    }
    return {"type": kind, **more.get(kind, {})}


def scope_of(actor: Actor) -> Json:
    headers = [(b"authorization", f"Bearer {actor.bearer}".encode())] if actor.bearer else []
    return {"headers": headers, "cookies": {"sessionid": actor.cookie} if actor.cookie else {}, "client": ("", 0)}


def sent(actor: Actor, place: Place, frame: Json) -> tuple[str, list[str], str]:
    """(cell, what was written, what was said) of one frame, undone afterwards."""
    said = ""
    with transaction.atomic(), written() as writes:
        try:
            parsed = frames.parse(json.dumps(frame), lenient=False)
            said = str(commands.perform(scope_of(actor), place.conversation.pk, parsed))
            cell = "done"
        except DeskError as error:
            cell, said = error.code, error.message
        except (commands.Gone, SignedOut):
            cell = "closed"
        transaction.set_rollback(True)
    return cell, writes, said


def test_everybody(world: World) -> None:
    found: Table = {(kind,): {} for kind in commands.COMMANDS}
    wrote = []
    for kind in commands.COMMANDS:
        for name in EVERYBODY:
            place = world.places[world.actors[name].place]
            found[kind,][name], writes, _ = sent(world.actors[name], place, frame_of(kind, place))
            if writes and found[kind,][name] != "done":
                wrote.append(f"{kind} by {name}: {writes}")
    compare("frames.csv", found)
    assert not wrote, "\n".join(wrote)


def test_every_field_is_known() -> None:
    fields = {name for model in get_args(frames.AnyFrame) for name in model.model_fields}
    assert fields == set(FIELDS)


@pytest.mark.parametrize(("name", "other"), [("anon", "anon_b"), ("customer", "customer_b"), ("token", "customer")])
def test_foreign_things_are_as_good_as_missing(world: World, name: str, other: str) -> None:
    actor, mine, theirs = world.actors[name], world.places[name.replace("token", "anon")], world.places[other]
    asked = 0
    for kind in commands.COMMANDS:
        frame = frame_of(kind, theirs)
        for field in frame.keys() & {field for field, thing in FIELDS.items() if thing}:
            nobodys = [MISSING] if isinstance(frame[field], list) else MISSING
            foreign, missing = sent(actor, mine, frame), sent(actor, mine, {**frame, field: nobodys})
            asked += 1
            assert foreign == missing
            assert foreign[0] in ("not_found", "conflict", "bad_frame"), f"{kind} {field}: {foreign}"
            assert kind == "message" or not foreign[1], f"{kind} {field} wrote {foreign[1]}"  # it is undone as a whole
    assert asked == 5
