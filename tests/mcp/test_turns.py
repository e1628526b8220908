"""MCP tools in conversations: asked, proposed, limited, replayed; and turns that end well when a server does not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from support_agent.models import McpServer, McpTool, Switch, ToolCall, Turn
from support_agent.runtime import catalogue, controls, tool_breakers
from support_agent.runtime.alert_checks import changed_tools
from tests.fakes.replies import calls as uses
from tests.fakes.replies import plans, says
from tests.mcp.conftest import Make, allow_as_listed
from tests.replay.conftest import ACTING, PLAN, Again, again
from tests.runtime.conftest import Rig, rig
from tickets.db import in_db
from tickets.models import Action, Conversation

__all__ = ["again", "rig"]
Json = dict[str, Any]
Calls = Callable[[], list[Json]]
STOCK, BOOK = "mcp_shop_stock_level", "mcp_shop_book_slot"
WANTED = {**PLAN, "subject": "technical", "tools": [STOCK]}
ASK = "Is the tent with the number A in your warehouse?"
LOOKUP: Json = {"category": "lookup"}
EMAIL: Json = {"sources": {"customer_email": "email"}}


async def make(server: Make, manner: str = "honest", **allow: Json) -> McpServer:
    for tool in (STOCK, BOOK):
        await in_db(tool_breakers.note, tool, failed=False)
    return await in_db(server, manner, allow=allow)


async def row(conversation: Conversation) -> ToolCall:
    return await in_db(lambda: ToolCall.objects.get(conversation=conversation, tool__startswith="mcp_"))


async def test_a_look_up_is_asked_and_its_figures_count(server: Make, rig: Rig, calls: Calls) -> None:
    await make(server, stock_level=LOOKUP)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(WANTED), uses(STOCK, {"sku": "A"}), says("There are 7 pieces, at 129.00 USD each."))
    turn = await rig.ask(conversation, ASK)
    assert turn.state == Turn.State.ANSWERED
    assert (await rig.answer(conversation))["text"] == "There are 7 pieces, at 129.00 USD each."
    call = await row(conversation)
    assert (call.status, call.result["result"]) == ("success", {"sku": "A", "pieces": 7, "price": "129.00 USD"})
    assert [made["arguments"] for made in calls()] == [{"sku": "A"}]


async def test_the_model_reads_what_staff_wrote_and_nothing_of_the_server(server: Make, rig: Rig) -> None:
    await make(server, stock_level={**LOOKUP, "purpose": "Pieces in the warehouse"})
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(WANTED), says("Which one do you mean?"))
    await rig.ask(conversation, ASK)
    offered = next(tool for tool in rig.model.asked[1]["tools"] if tool["name"] == STOCK)
    assert offered["description"] == "How many pieces are there. Use it for stock."
    assert f"- {STOCK}: Pieces in the warehouse" in json.dumps(rig.model.asked[0]["messages"])
    assert len(rig.model.asked[1]["tools"]) == 7
    assert "IGNORE" not in json.dumps(rig.model.asked)


async def test_a_change_is_proposed_and_the_customer_is_filled_in_by_us(server: Make, rig: Rig) -> None:
    await make(server, book_slot=EMAIL)
    conversation = await rig.begin(rig.cast.owner)
    acting = {**ACTING, "subject": "technical", "tools": [BOOK]}
    rig.model.add(plans(acting), uses(BOOK, {"day": "Friday"}), says("Please confirm it below."))
    await rig.ask(conversation, "Please book a slot in the workshop on Friday for my tent")
    offered = next(tool for tool in rig.model.asked[1]["tools"] if tool["name"] == BOOK)
    assert list(offered["input_schema"]["properties"]) == ["day"]
    action = await in_db(Action.objects.get)
    assert (action.tool, action.state, action.arguments) == (BOOK, Action.State.PROPOSED, {"day": "Friday"})
    assert action.definition == (await in_db(McpTool.objects.get)).pinned_digest
    assert (await row(conversation)).status == "pending_confirmation"


async def test_the_model_cannot_say_who_the_customer_is(server: Make, rig: Rig) -> None:
    await make(server, book_slot=EMAIL)
    conversation = await rig.begin(rig.cast.owner)
    acting = {**ACTING, "subject": "technical", "tools": [BOOK]}
    sly = {"day": "Friday", "customer_email": rig.cast.other.email}
    rig.model.add(plans(acting), uses(BOOK, sly), says("That did not work."))
    await rig.ask(conversation, "Book a slot for Oscar please")
    assert (await row(conversation)).status == "invalid_arguments"
    assert not await in_db(Action.objects.exists)


async def test_a_stranger_is_offered_only_what_is_for_everybody(server: Make, rig: Rig) -> None:
    await make(server, stock_level=LOOKUP)
    conversation = await rig.begin()
    rig.model.add(plans(PLAN), says("Which one do you mean?"))
    await rig.ask(conversation, ASK)
    assert STOCK not in json.dumps(rig.model.asked)


async def test_instructions_in_a_result_are_data(server: Make, rig: Rig) -> None:
    """The link goes, the answer is held to what the critic holds every answer to."""
    made = await make(server, "injects")
    await in_db(_pin_what_it_lists, made)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(WANTED), uses(STOCK, {"sku": "A"}), says("I could not find that out."))
    turn = await rig.ask(conversation, ASK)
    assert turn.state == Turn.State.ANSWERED
    call = await row(conversation)
    assert "evil.example" not in json.dumps(call.result)
    assert "[link removed]" in call.result["result"]
    assert all("evil.example" not in json.dumps(one) for one in rig.model.asked)


def _pin_what_it_lists(made: McpServer) -> None:
    from support_agent.runtime.mcp import sessions
    from support_agent.runtime.mcp.listing import definitions_note
    from support_agent.runtime.mcp.spec import spec_of

    definitions_note(server_id=made.pk, definitions=sessions.list_tools(spec_of(made)))
    allow_as_listed(made.tools.get(tool="stock_level"), category="lookup")


async def test_a_dead_server_ends_the_turn_in_time_and_other_tools_work(server: Make, rig: Rig) -> None:
    await make(server, "dies", stock_level=LOOKUP)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans(WANTED),
        uses(STOCK, {"sku": "A"}),
        uses("lookup_order", {"order_number": "AP-100001"}),
        says("I cannot look at the stock now. Order AP-100001 has been delivered."),
    )
    started = time.monotonic()
    turn = await rig.ask(conversation, ASK)
    assert turn.state == Turn.State.ANSWERED
    assert time.monotonic() - started < 8
    call = await row(conversation)
    assert (call.status, call.result["retryable"]) == ("error", False)
    assert "could not be asked" in call.result["message"]
    assert await in_db(lambda: McpServer.objects.get().trouble) == "The program has ended."


async def test_five_failures_leave_it_alone(server: Make, rig: Rig) -> None:
    await make(server, stock_level=LOOKUP)
    for _ in range(5):
        await in_db(tool_breakers.note, STOCK, failed=True)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(WANTED), uses(STOCK, {"sku": "A"}), says("I cannot look at the stock now."))
    await rig.ask(conversation, ASK)
    assert (await row(conversation)).status == "degraded"
    await in_db(tool_breakers.note, STOCK, failed=False)


async def test_ops_switch_one_off(server: Make, rig: Rig) -> None:
    await make(server, stock_level=LOOKUP)

    def off() -> None:
        controls.switch_on(name=Switch.Name.DISABLE_TOOL, tool=STOCK, staff=rig.cast.ops, reason="It lies.")

    await in_db(off)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(PLAN), says("I cannot look at the stock."))
    await rig.ask(conversation, ASK)
    assert STOCK not in json.dumps(rig.model.asked)
    await in_db(controls.forget)


async def test_it_is_asked_only_so_often(server: Make, rig: Rig, calls: Calls) -> None:
    await make(server, stock_level={**LOOKUP, "per_conversation": 1})
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans(WANTED), uses(STOCK, {"sku": "A"}), uses(STOCK, {"sku": "B"}), says("There are 7 pieces of the first.")
    )
    await rig.ask(conversation, ASK)
    assert len(calls()) == 1


async def test_a_tool_that_changed_is_not_called_nor_offered_and_ops_are_told(server: Make, rig: Rig) -> None:
    """What staff allowed is another definition than the one that is listed now."""
    made = await make(server, stock_level=LOOKUP)

    def pin_another() -> None:
        one = made.tools.get()
        one.pinned, one.pinned_digest = {**one.pinned, "description": "Once."}, "0" * 64
        one.allowed_by = rig.cast.admin
        one.save()
        catalogue.forget()

    await in_db(pin_another)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(WANTED), uses(STOCK, {"sku": "A"}), says("I cannot look at the stock now."))
    turn = await rig.ask(conversation, ASK)
    assert turn.state == Turn.State.ANSWERED
    assert (await row(conversation)).status == "error"
    states = await in_db(lambda: dict(McpTool.objects.values_list("name", "state")))
    assert states == {STOCK: "changed", BOOK: "new"}
    (finding,) = await in_db(lambda: list(changed_tools(timezone.now())))
    assert (
        finding.text == f"The tool {STOCK} has changed at its server, so it is not offered until somebody looks at it."
    )
    await in_db(catalogue.forget)
    assert STOCK not in await in_db(catalogue.catalogue)


async def test_a_replay_asks_nobody(server: Make, rig: Rig, again: Again, calls: Calls) -> None:
    await make(server, stock_level=LOOKUP)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(WANTED), uses(STOCK, {"sku": "A"}), says("There are 7 pieces."))
    turn = await rig.ask(conversation, ASK)
    lines = (uses(STOCK, {"sku": "A"}), uses(STOCK, {"sku": "B"}), says("There are 7 pieces."))
    replay = await again.take(turn, plans(WANTED), *lines)
    answered = [step["output"] for step in replay.steps if step["kind"] == "tool_call"]
    assert answered[0]["result"]["pieces"] == 7
    assert "not asked in a replay" in answered[1]["message"]
    assert len(calls()) == 1


async def test_a_turn_of_a_tool_that_is_gone_is_replayed_and_shown(server: Make, rig: Rig, again: Again) -> None:
    made = await make(server, stock_level=LOOKUP)
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(plans(WANTED), uses(STOCK, {"sku": "A"}), says("There are 7 pieces."))
    turn = await rig.ask(conversation, ASK)
    await in_db(made.delete)
    await in_db(catalogue.forget)
    replay = await again.take(turn, plans(WANTED), says("I cannot tell."))
    assert replay.state == "done"

    def trace() -> str:
        from django.test import Client

        client = Client()
        client.force_login(rig.cast.ops)
        return client.get(f"/admin/traces/{conversation.pk}/").content.decode()

    assert STOCK in await in_db(trace)
