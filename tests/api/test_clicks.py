"""Confirming, declining and undoing over HTTP: once, by the owner, with the proposal's token."""

from __future__ import annotations

import pytest

from tests.api.conftest import Answer, Caller
from tests.cast import Cast
from tickets.models import Order
from tickets.services.actions import action_propose


class Offer:
    def __init__(self, caller: Caller, cast: Cast) -> None:
        self.caller = caller
        self.action = action_propose(
            conversation=caller.conversation,
            customer=cast.owner,
            turn_id=None,
            tool="cancel_order",
            arguments={"order_number": cast.paid.order_number, "reason": "changed my mind"},
            summary="Cancel it",
            preview={},
            idempotency_key="one",
        )
        self.token = caller.events()[-1]["action"]["token"]

    def click(self, approve: bool = True, token: str = "", caller: Caller | None = None) -> Answer:
        path = f"/conversations/{self.caller.id}/actions/{self.action.pk}"
        return (caller or self.caller).post(path, token=token or self.token, approve=approve)

    def undo(self) -> Answer:
        return self.caller.post(f"/conversations/{self.caller.id}/actions/{self.action.pk}/undo")


@pytest.fixture
def offer(own: Caller, cast: Cast) -> Offer:
    return Offer(own, cast)


def test_a_click_does_it_once(offer: Offer, cast: Cast) -> None:
    first, second = offer.click(), offer.click()
    assert first.status == second.status == 200
    assert first.json == second.json
    assert (first.json["id"], first.json["state"], first.json["tool"]) == (
        str(offer.action.pk),
        "done",
        "cancel_order",
    )
    assert first.json["receipt"]
    assert "token" not in first.json
    assert Order.objects.get(pk=cast.paid.pk).status == "cancelled"


def test_and_is_taken_back(offer: Offer, cast: Cast) -> None:
    assert "undo_until" in offer.click().json
    assert offer.undo().json["state"] == "undone"
    assert offer.undo().status == 200
    assert Order.objects.get(pk=cast.paid.pk).status == "paid"


def test_declined_stays_declined(offer: Offer, cast: Cast) -> None:
    assert offer.click(approve=False).json["state"] == "declined"
    assert offer.click().refusal == (409, "conflict")
    assert Order.objects.get(pk=cast.paid.pk).status == "paid"


def test_without_its_token_there_is_no_such_offer(offer: Offer, foreign: Caller) -> None:
    assert offer.click(token="forged").refusal == (404, "not_found")
    assert offer.click(caller=foreign).refusal == (404, "not_found")


def test_what_was_not_done_cannot_be_undone(offer: Offer) -> None:
    assert offer.undo().refusal == (409, "conflict")
