"""Every argument of every tool that names a thing: somebody else's is as good as missing, to everybody who asks."""

from __future__ import annotations

import itertools
from typing import Any, get_args
from uuid import uuid4

import pytest
from django.db import transaction

from support_agent.agent.toolkit import Category, Tool, ToolContext
from support_agent.tools import ALL
from tests.security.matrix.asking import written
from tests.security.matrix.table import Table, compare, read
from tests.security.matrix.world import World
from tickets.models import Conversation

pytestmark = pytest.mark.django_db
Json = dict[str, Any]

# What an argument's name says it names; any other must be said in the table by hand.
NAMES = {"order_number": "order", "skus": "sku", "email": "email", "customer_email": "address"}
NOTHING = {"query", "category", "reason", "amount", "kind", "wish", "field", "value", "subject", "body", "priority"}
NOTHING |= {"summary", "suggested_team"}
OWN = {"order": "AP-100001", "email": "olivia.owner@example.com", "sku": ["TNT-2P-GRN"]}
FOREIGN = {"order": "AP-200001", "email": "oscar.other@example.com", "sku": ["SEC-1X-RET"]}
MISSING = {"order": "AP-999999", "email": "nobody@example.com", "sku": ["NOT-1X-HER"]}
GIVEN: Json = {
    "query": "tents",
    "skus": ["TNT-2P-GRN"],
    "reason": "too small",
    "amount": "10.00",
    "kind": "damaged",
    "wish": "refund",
    "field": "name",
    "value": "Eve",
    "subject": "Hello",
    "body": "Please call me",
    "category": "account",
    "customer_email": "a@example.com",
    "summary": "Wants a person",
}
_numbers = itertools.count()


def table() -> Table:
    return {
        (tool.name, argument): {"names": NAMES.get(argument, "-" if argument in NOTHING else "?")}
        for tool in ALL.values()
        for argument in tool.arguments.model_fields
    }


def test_every_argument_has_its_row() -> None:
    found = table()
    unknown = [key for key, cells in found.items() if cells["names"] == "?"]
    assert not unknown, "say what these name: here, and in tool_arguments.csv"
    compare("tool_arguments.csv", found)


def asked(tool: Tool, conversation: Conversation, things: Json) -> tuple[Json, list[str]]:
    """What the tool answers and writes in a conversation when its arguments name these things; undone afterwards."""
    arguments = {}
    for name, field in tool.arguments.model_fields.items():
        if name in NAMES and NAMES[name] in things:
            arguments[name] = things[NAMES[name]]
        elif field.is_required() or name in GIVEN:
            arguments[name] = GIVEN.get(name) or get_args(field.annotation)[0]
    context = ToolContext(
        conversation_id=conversation.pk,
        turn_id=uuid4(),
        customer_id=conversation.customer_id,
        locale="en",
        idempotency_key=f"matrix-{next(_numbers)}",
    )
    with transaction.atomic(), written() as writes:
        answer = tool.run(context, tool.arguments.model_validate(arguments)).as_json()
        transaction.set_rollback(True)
    return answer, writes


NAMING = [key for key, cells in read("tool_arguments.csv")[1].items() if cells["names"] in ("order", "sku", "email")]


@pytest.mark.parametrize(("name", "argument"), NAMING)
def test_foreign_and_missing_sound_alike(world: World, name: str, argument: str) -> None:
    tool, thing = ALL[name], NAMES[argument]
    owner = world.places["customer"].conversation
    foreign, missing = (asked(tool, owner, {**OWN, thing: kind[thing]}) for kind in (FOREIGN, MISSING))
    # An error repeats the SKU that was asked for.
    assert str(foreign).replace("SEC-1X-RET", "SKU") == str(missing).replace("NOT-1X-HER", "SKU")
    assert foreign[0]["status"] != "pending_confirmation"
    assert not foreign[1]
    assert "Oscar" not in str(foreign)


@pytest.mark.parametrize(("name", "argument"), NAMING)
def test_the_unverified_and_others_hear_the_same_of_everything(world: World, name: str, argument: str) -> None:
    """The owner's order is to another customer what it is to nobody; a stranger learns nothing at all."""
    tool, thing = ALL[name], NAMES[argument]
    stranger, other = world.places["anon"].conversation, world.places["customer_b"].conversation
    heard = [asked(tool, stranger, {**OWN, thing: kind[thing]}) for kind in (OWN, FOREIGN, MISSING)]
    assert heard[0] == heard[1] == heard[2]
    if tool.name != "verify_identity":
        assert heard[0] == ({"status": "needs_verification", "message": heard[0][0]["message"]}, [])
    if thing != "sku":
        theirs, nobodys = (asked(tool, other, {**FOREIGN, thing: kind[thing]}) for kind in (OWN, MISSING))
        assert theirs == nobodys
        assert not theirs[1]


def test_no_tool_but_those_of_a_proposal_writes_for_a_customer(world: World) -> None:
    """What looks up changes nothing, and what changes only proposes: the click does it."""
    owner = world.places["customer"].conversation
    for tool in ALL.values():
        answer, writes = asked(tool, owner, {**OWN, "order": "AP-100002"} if tool.name == "cancel_order" else OWN)
        if tool.category in (Category.SEARCH, Category.LOOKUP):
            assert not writes, tool.name
        if tool.category is Category.MUTATION:
            assert answer["status"] == "pending_confirmation", (tool.name, answer)
            assert set(writes) <= {
                *("insert tickets_action", "insert tickets_event", "update tickets_conversation"),
            }, (tool.name, writes)
