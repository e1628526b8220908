"""What a customer confirmed, done at an MCP server: once, with our key, and unknown when the answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support_agent.models import McpServer, McpTool
from support_agent.runtime.mcp.schemas import digest
from tests.cast import Cast, make_cast
from tests.mcp.conftest import Make, definition_of
from tickets.backends.port import AnswerLost, Refused, Unreachable
from tickets.errors import Conflict
from tickets.ids import new_id
from tickets.models import Action
from tickets.services.actions import action_propose
from tickets.services.conversations import conversation_create
from tickets.services.effects import Performer, performer_of

BOOK = "mcp_shop_book_slot"
EMAIL = {"sources": {"customer_email": "email"}}
Calls = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return make_cast()


@pytest.fixture
def action(cast: Cast) -> Action:
    return action_propose(
        conversation=conversation_create(channel="chat", customer=cast.owner, identity="session")[0],
        customer=cast.owner,
        turn_id=new_id(),
        tool=BOOK,
        arguments={"day": "Friday"},
        summary="Book a slot: Friday",
        preview={},
        idempotency_key="one",
        definition=digest(definition_of("book_slot")),
    )


@pytest.fixture
def performer() -> Performer:
    found = performer_of(BOOK)
    assert found is not None
    return found


def test_it_is_done_for_the_customer_of_the_action(
    server: Make, action: Action, performer: Performer, calls: Calls
) -> None:
    server(allow={"book_slot": EMAIL})
    receipt = performer.perform(action, key="effect-1", approved_by="")
    assert receipt.receipt == {"message": "It is done.", "number": "SL-77", "for": action.customer.email}
    (made,) = calls()
    assert made["arguments"] == {"day": "Friday", "customer_email": action.customer.email}
    assert made["meta"]["support-agent/idempotency-key"] == "effect-1"


@pytest.mark.parametrize("manner", ["dies", "hangs", "floods"])
def test_a_lost_answer_is_unknown_and_stays_so(manner: str, server: Make, action: Action, performer: Performer) -> None:
    server(manner, allow={"book_slot": {**EMAIL, "timeout_s": 1}})
    with pytest.raises(AnswerLost):
        performer.perform(action, key="effect-1", approved_by="")
    assert performer.outcome(action, key="effect-1").state == "unknown"


def test_what_was_never_sent_may_be_tried_again(server: Make, action: Action, performer: Performer) -> None:
    made = server(allow={"book_slot": EMAIL})
    McpServer.objects.filter(pk=made.pk).update(command="/nowhere/at/all")
    with pytest.raises(Unreachable):
        performer.perform(action, key="effect-1", approved_by="")


def test_an_error_of_the_tool_is_a_refusal_in_our_words(server: Make, action: Action, performer: Performer) -> None:
    server("fails", allow={"book_slot": EMAIL})
    with pytest.raises(Refused) as refused:
        performer.perform(action, key="effect-1", approved_by="")
    assert "warehouse" not in refused.value.message


def test_a_tool_that_is_no_longer_allowed_does_nothing(
    server: Make, action: Action, performer: Performer, tmp_path: Any
) -> None:
    made = server(allow={"book_slot": {**EMAIL, "state": "refused"}})
    assert made.is_active
    with pytest.raises(Refused):
        performer.perform(action, key="effect-1", approved_by="")
    assert not (tmp_path / "calls").exists()


def test_what_was_confirmed_under_another_definition_is_not_sent(
    server: Make, action: Action, performer: Performer, tmp_path: Any
) -> None:
    server(allow={"book_slot": EMAIL})
    McpTool.objects.update(pinned_digest="of what staff allowed since")
    with pytest.raises(Refused) as refused:
        performer.perform(action, key="effect-1", approved_by="")
    assert refused.value.message == "Something changed meanwhile, so nothing was done. Please ask again."
    assert not (tmp_path / "calls").exists()


def test_nothing_is_undone(action: Action, performer: Performer) -> None:
    with pytest.raises(Conflict):
        performer.undo(action, key="effect-1")
