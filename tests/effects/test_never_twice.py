"""Whatever crashes, is lost, comes twice or late: each effect happens at most once, and nobody is left waiting."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from tests.effects.conftest import Remote
from tickets.errors import DeskError
from tickets.models import Action, Effect, Escalation
from tickets.services.actions import action_undo

FAULTS = ("ok", "ok", "unreachable", "not_arrived", "lost", "crash_before", "crash_after", "refused", "overtaken")


def live(remote: Remote, dice: random.Random) -> None:
    """One customer's afternoon."""
    shop, talk = remote.shop, remote.talk
    shop.faults.extend(dice.choice(FAULTS) for _ in range(8))
    proposed = [
        talk.propose("request_refund", order_number="AP-700001", amount="10.00", reason="late"),
        talk.propose("cancel_order", order_number="AP-700002", reason="too late"),
        talk.propose("request_return", order_number="AP-700001", skus=["TNT-2P-GRN"], reason="too small"),
    ]

    def overtakes() -> None:
        remote.clock.step(dice.choice((1.5, 20)))
        remote.work()

    shop.meanwhile = overtakes
    for _ in range(14):
        match dice.randrange(6):
            case 0 | 1:
                with suppress(DeskError):  # declined, expired, or done already
                    talk.click(dice.choice(proposed))
            case 2:
                with suppress(DeskError):
                    action_undo(conversation=talk.conversation, action_id=dice.choice(proposed).pk)
            case 3:
                shop.is_mute, shop.is_away = dice.random() < 0.2, dice.random() < 0.2
            case _:
                remote.clock.step(dice.choice((0, 0.1, 2)))
                remote.work()
    shop.is_mute, shop.is_away = dice.random() < 0.2, False
    remote.wait(3, times=12)


def check(remote: Remote, seed: int) -> set[tuple[str, str]]:
    """Nothing twice, nothing told that is not so, nothing left; how the effects ended."""
    mine, done = Action.objects.filter(conversation=remote.talk.conversation), remote.shop.done
    assert all(count == 1 for count in done.values()), (seed, done)
    ends = set()
    for effect in Effect.objects.filter(action__in=mine).select_related("action"):
        told = (seed, effect.kind, effect.state, effect.action.state)
        ends.add((effect.kind, effect.state))
        if effect.state == "given_up":
            assert Escalation.objects.filter(conversation=effect.action.conversation, status="waiting").exists(), told
            assert "A person is looking" in effect.action.receipt["message"], told
            continue
        assert effect.state in ("done", "refused"), told
        assert done[effect.key] == (effect.state == "done"), told
        if effect.kind == "undo":
            assert effect.action.state == ("undone" if effect.state == "done" else "done"), told
        elif effect.action.effects.count() == 1:
            assert effect.action.state == ("done" if effect.state == "done" else "failed"), told
    assert set(mine.filter(effects=None).values_list("state", flat=True)) <= {"proposed", "expired"}, seed
    return ends


@pytest.mark.timeout(300)
def test_each_effect_happens_at_most_once_and_everything_ends(remote: Remote) -> None:
    ends: set[tuple[str, str]] = set()
    for seed in range(16):
        remote.begin_again()
        live(remote, random.Random(seed))
        ends |= check(remote, seed)
    # Or it would prove less than it says.
    assert ends >= {("perform", "done"), ("perform", "refused"), ("perform", "given_up"), ("undo", "done")}
