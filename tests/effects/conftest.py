"""A company whose records are in another system, one of its customers, and the worker that looks after effects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from pytest_django import Settings

from tests.cast import Cast, make_cast
from tests.desk.conftest import Talk
from tests.desk.waiting import Clock
from tests.fakes.remote_shop import Crash, RemoteShop
from tickets.backends import backend
from tickets.models import Action, Customer, Effect
from tickets.services.effect_sending import effect_send


class Remote:
    """Rita's conversation, the shop that has her orders, and the passing of time."""

    def __init__(self, cast: Cast, clock: Clock, shop: RemoteShop) -> None:
        self.cast, self.clock, self.shop = cast, clock, shop
        self.rita = Customer.objects.create(external_id="c-7", email="rita.remote@example.com", name="Rita Remote")
        self.talk = Talk(self.rita)

    def begin_again(self) -> None:
        """Another customer in her place, at a shop that knows of nothing yet."""
        Customer.objects.filter(pk=self.rita.pk).update(external_id=None, email=f"{self.rita.pk}@example.com")
        self.shop.__init__()  # type: ignore[misc]
        self.rita = Customer.objects.create(external_id="c-7", email="rita.remote@example.com", name="Rita Remote")
        self.talk = Talk(self.rita)

    def refund(self, amount: str = "20.00", order: str = "AP-700001") -> Action:
        return self.talk.do("request_refund", order_number=order, amount=amount, reason="late")

    def cancel(self) -> Action:
        return self.talk.do("cancel_order", order_number="AP-700002", reason="too late")

    def work(self) -> None:
        """What the worker does when it comes to it; a crash ends only the worker."""
        mine = Effect.objects.filter(action__conversation=self.talk.conversation)
        for effect_id in list(mine.order_by("action__idempotency_key", "kind").values_list("pk", flat=True)):
            with suppress(Crash):
                effect_send(str(effect_id))

    def wait(self, minutes: float, times: int = 1) -> None:
        for _ in range(times):
            self.clock.step(minutes)
            self.work()

    def state(self, action: Action) -> str:
        action.refresh_from_db()
        return str(action.state)

    @property
    def effect(self) -> Effect:
        return Effect.objects.get()


@pytest.fixture
def remote(transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    settings.BACKEND = "tests.fakes.remote_shop.RemoteShop"
    backend.cache_clear()
    clock = Clock(monkeypatch)
    shop = backend()
    assert isinstance(shop, RemoteShop)
    yield Remote(make_cast(), clock, shop)
    backend.cache_clear()
