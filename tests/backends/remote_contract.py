"""What a backend keeps that asks another system: the contract, and once each whatever is repeated, lost or at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.backends.contract import (
    TEN,
    Contract,
    cancelled_and_restored,
    listed,
    refunded,
    refused,
    returned,
    well_formed,
)
from tests.backends.world import RemoteWorld, World
from tickets.backends.port import AnswerLost, Refused


class RemoteContract(Contract):
    """Beside that, keys: once each, whatever is repeated, and an outcome for whoever lost the answer."""

    def test_a_repeated_key_answers_the_same_and_does_it_once(self, world: RemoteWorld) -> None:
        by = world.by("request_refund")
        first = refunded(world, TEN, by)
        assert refunded(world, TEN, by) == first
        order = world.backend.order(world.owner, world.delivered.number)
        assert order is not None
        assert order.refunded == TEN

    def test_a_repeated_refusal_stays_a_refusal(self, world: RemoteWorld) -> None:
        by, too_much = world.by("request_refund"), world.delivered.total + TEN
        for _ in range(2):
            with refused(world, "too_much"):
                refunded(world, too_much, by)

    def test_a_key_used_for_something_else_does_nothing(self, world: RemoteWorld) -> None:
        by = world.by("request_refund")
        refunded(world, TEN, by)
        with refused(world, "key_reused"):
            refunded(world, TEN + TEN, by)
        order = world.backend.order(world.owner, world.delivered.number)
        assert order is not None
        assert order.refunded == TEN

    def test_one_key_in_many_threads_at_once_is_one_effect(self, world: RemoteWorld) -> None:
        by = world.by("request_refund")
        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(lambda _: _refunded_or_lost(world, by), range(16)))
        assert len({refund for refund in made if refund}) == 1
        order = world.backend.order(world.owner, world.delivered.number)
        assert order is not None
        assert (order.refunded, len(order.refunds)) == (TEN, 1)

    def test_many_keys_at_once_never_give_back_more_than_was_paid(self, world: RemoteWorld) -> None:
        half = (world.delivered.total / 2 + Decimal("0.01")).quantize(Decimal("0.01"))

        def refund(_: int) -> bool:
            try:
                return bool(refunded(world, half))
            except Refused:
                return False

        with ThreadPoolExecutor(4) as threads:
            assert sorted(threads.map(refund, range(4))) == [False, False, False, True]

    def test_each_key_has_its_outcome(self, world: RemoteWorld) -> None:
        outcome = world.backend.outcome
        made, by = world.by("request_refund"), world.by("request_return")
        refund = refunded(world, TEN, made)
        assert (outcome(made.key).state, outcome(made.key).record) == ("done", refund)
        number = returned(world, world.owner, world.delivered, by)
        assert outcome(by.key).record == world.backend.return_of(world.owner, number)
        too_much = world.by("request_refund")
        with refused(world, "too_much"):
            refunded(world, world.delivered.total + TEN, too_much)
        said = outcome(too_much.key)
        assert (said.state, said.code, bool(said.message)) == ("refused", "too_much", True)
        assert outcome(world.by("request_refund").key).state == "never"

    def test_a_cancellation_and_what_answers_nothing_have_outcomes_too(self, world: RemoteWorld) -> None:
        by, undo = cancelled_and_restored(world)
        cancelled = world.backend.outcome(by.key)
        assert cancelled.state == "done"
        assert cancelled.record is not None
        assert well_formed(cancelled.record)
        assert (world.backend.outcome(undo.key).state, world.backend.outcome(undo.key).record) == ("done", None)

    def test_a_lost_answer_is_found_by_its_key(self, world: RemoteWorld) -> None:
        by = world.by("request_refund")
        with world.losing(), pytest.raises(AnswerLost):
            refunded(world, TEN, by)
        found = world.backend.outcome(by.key)
        assert found.state == "done"
        assert found.record == refunded(world, TEN, by)  # what a repeat answers
        order = world.backend.order(world.owner, world.delivered.number)
        assert order is not None
        assert (order.refunded, order.refunds) == (TEN, (listed(found.record),))


def _refunded_or_lost(world: World, by: Any) -> Any:
    """A system may also say that this key is being worked on."""
    try:
        return refunded(world, TEN, by)
    except AnswerLost:
        return None
