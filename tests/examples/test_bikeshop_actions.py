"""What a customer of the bike shop confirms in the chat happens in its system, once, also when its answer is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from examples.bikeshop import tools
from examples.bikeshop.backend import BikeshopBackend
from support_agent.tools import own
from tests.backends.bikeshop import Bikeshop
from tests.desk.conftest import Talk
from tests.faults.proxy import Proxy
from tickets.models import Action, Customer, Effect
from tickets.services import effects
from tickets.services.effect_sending import effect_send

pytestmark = pytest.mark.django_db(transaction=True)  # nobody asks the shop with a transaction open
Json = dict[str, Any]


@pytest.fixture
def talk(shop: BikeshopBackend, db: None, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Astrid's conversation, with the shop as BACKEND and its tools as AGENT_TOOLS."""
    monkeypatch.setattr(own, "_own", {})
    before = list(effects.performers)
    monkeypatch.setattr(effects, "performers", before)
    monkeypatch.setattr(own, "performers", before)
    own.load([tools.__name__])
    return Talk(Customer.objects.create(external_id="c_1001", email="astrid.lind@example.com", name="Astrid Lind"))


def work(action: Action) -> Action:
    """What the worker does, now."""
    for effect in Effect.objects.filter(action=action, settled_at=None):
        Effect.objects.filter(pk=effect.pk).update(next_at=timezone.now() - timedelta(seconds=1))
        effect_send(str(effect.pk))
    return Action.objects.get(pk=action.pk)


def refunds(process: Bikeshop) -> list[tuple[str, int]]:
    rows = process.query("SELECT * FROM refunds WHERE order_number = 'FC-2026-01234'")
    return [(row["status"], row["amount"]) for row in rows]


def test_a_refund_is_made_there(talk: Talk, process: Bikeshop) -> None:
    action = talk.do("request_refund", order_number="FC-2026-01234", amount="12.50", reason="a scratch")
    action = work(action)
    assert action.state == "done", action.error
    assert action.receipt["currency"] == "EUR"
    assert refunds(process) == [("approved", 1250)]


def test_a_lost_answer_is_found_out_and_nothing_done_twice(
    talk: Talk, process: Bikeshop, line: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, whole = [], BikeshopBackend.create_refund

    def cut(*args: Any, **kwargs: Any) -> Any:
        asked.append(kwargs)
        line.cut_after = 0
        return whole(*args, **kwargs)

    monkeypatch.setattr(BikeshopBackend, "create_refund", cut)
    action = work(talk.do("request_refund", order_number="FC-2026-01234", amount="12.50", reason="a scratch"))
    assert action.state == "done", action.error
    assert line.cut_after is None  # it was lost
    assert len(asked) == 1  # what became of it was asked by its key
    assert refunds(process) == [("approved", 1250)]


def test_a_fitting_is_booked_by_the_click_and_undone(talk: Talk, shop: BikeshopBackend) -> None:
    time = shop.fitting_times("oslo")[0].time
    action = work(talk.do("book_bike_fitting", time=time))
    assert action.state == "done", action.error
    assert "Grünerløkka" in action.receipt["message"]
    assert time not in [free.time for free in shop.fitting_times("oslo")]
