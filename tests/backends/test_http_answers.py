"""What the HTTP adapter makes of answers that are wrong, foreign, late or missing."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from tests.backends.bikeshop import TOKEN, Bikeshop, bikeshop_world, running_bikeshop
from tests.backends.scripted import Scripted, scripted_shop
from tests.backends.world import RemoteWorld
from tests.faults.proxy import Proxy
from tickets.backends import circuit, transport
from tickets.backends.http import HttpBackend
from tickets.backends.port import AnswerLost, By, Refused, Unreachable
from tickets.backends.records import RefundRecord, Who
from tickets.errors import NotFound

WHO = Who(id=uuid4(), ref="c_1", email="ada@example.com")
REFUND = {
    "customer": "c_1",
    "reference": "FC-1-R1",
    "order_number": "FC-1",
    "amount": "10.00",
    "currency": "EUR",
    "status": "approved",
    "created_at": "2026-11-22T02:00:00+01:00",
    "is_favour": True,
}
ORDER: dict[str, Any] = {
    "customer": "c_1",
    "order_number": "FC-1",
    "status": "paid",
    "currency": "EUR",
    "total": "50.00",
    "placed_at": "2026-11-20T09:00:00Z",
    "delivered_at": None,
    "paid": "50.00",
    "refunded": "10.00",
    "lines": [{"sku": "A", "name": "Bell", "quantity": 1, "unit_price": "50.00", "left": 1}],
    "parcels": [],
    "returns": [],
    "refunds": [REFUND],
}
CUSTOMER = {"ref": "c_1", "email": "Ada@example.com", "name": "Ada"}


@pytest.fixture
def script() -> Iterator[Scripted]:
    with scripted_shop() as shop:
        yield shop


@pytest.fixture
def backend(script: Scripted) -> HttpBackend:
    return HttpBackend(script.url, TOKEN)


def refund(backend: HttpBackend, who: Who = WHO, key: str = "action:1") -> RefundRecord:
    by = By(key=key, action_id="a1", approved_by="lead")
    return backend.create_refund(who, order_number="FC-1", amount=Decimal(10), reason="late", by=by)


def test_a_request_names_the_customer_the_token_and_the_key(script: Scripted, backend: HttpBackend) -> None:
    script.says(200, REFUND)
    made = refund(backend)
    assert made.created_at == datetime(2026, 11, 22, 1, tzinfo=UTC)
    ((method, path, headers, body),) = script.asked
    assert (method, path) == ("POST", "/customers/c_1/orders/FC-1/refunds")
    assert (headers["authorization"], headers["idempotency-key"]) == (f"Bearer {TOKEN}", "action:1")
    assert body == {"amount": "10.00", "reason": "late", "action_id": "a1", "approved_by": "lead"}


def _with(**changes: Any) -> Any:
    return {**deepcopy(ORDER), **changes}


MISFITS: dict[str, Any] = {
    "a number for an amount": _with(total=50.0),
    "three places": _with(total="50.000"),
    "no places": _with(total="50"),
    "not a number": _with(total="NaN.00"),
    "an unknown state": _with(status="assembling"),
    "a moment without its offset": _with(placed_at="2026-11-20T09:00:00"),
    "a moment as a number": _with(placed_at=1763629200),
    "no currency": _with(currency="€"),
    "a name past every length": _with(lines=[{**ORDER["lines"][0], "name": "x" * 201}]),
    "half a line": _with(lines=[{"sku": "A"}]),
    "null for a list": _with(refunds=None),
    "a text for a count": _with(lines=[{**ORDER["lines"][0], "quantity": "1"}]),
    "a part missing": {name: value for name, value in ORDER.items() if name != "paid"},
    "a list": [ORDER],
    "no JSON": b"<html>Welcome</html>",
    "broken off": b'{"customer": "c_1", "order_n',
    "more than anybody wants": b" " * (transport.MAX_BYTES + 1),
}


@pytest.mark.parametrize("body", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_no_order(script: Scripted, backend: HttpBackend, body: Any) -> None:
    script.says(200, body)
    with pytest.raises(Unreachable):
        backend.order(WHO, "FC-1")
    with pytest.raises(AnswerLost):  # and who wrote does not know what was done
        backend.restore_order(WHO, order_number="FC-1", undo={}, by=By(key="k"))


def test_fields_that_nobody_knows_do_no_harm(script: Scripted, backend: HttpBackend) -> None:
    script.says(200, _with(loyalty_points=12))
    order = backend.order(WHO, "FC-1")
    assert order is not None
    assert order.paid - order.refunded == Decimal("40.00")


def test_texts_lose_what_turns_them_round_and_what_cannot_be_kept(script: Scripted, backend: HttpBackend) -> None:
    script.says(200, _with(note="a\x00b\u202ec\nd 🚲"))
    order = backend.order(WHO, "FC-1")
    assert order is not None
    assert order.note == "abc\nd 🚲"


FOREIGN: dict[str, Any] = {
    "another's order": _with(customer="c_2"),
    "another order": _with(order_number="FC-2"),
    "another's refund within": _with(refunds=[{**REFUND, "customer": "c_2"}]),
}


@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN)
def test_anothers_record_is_not_taken_even_when_it_is_handed_out(
    script: Scripted, backend: HttpBackend, body: Any
) -> None:
    script.says(200, body)
    assert backend.order(WHO, "FC-1") is None
    with pytest.raises(AnswerLost):
        backend.restore_order(WHO, order_number="FC-1", undo={}, by=By(key="k"))


def test_a_list_with_anothers_record_is_no_list(script: Scripted, backend: HttpBackend) -> None:
    script.says(200, {"refunds": [REFUND, {**REFUND, "customer": "c_2"}]})
    with pytest.raises(Unreachable):
        backend.refunds_since(WHO, datetime(2026, 1, 1, tzinfo=UTC))


def test_another_account_is_nobody(script: Scripted, backend: HttpBackend) -> None:
    script.says(200, CUSTOMER)
    assert backend.customer_by_email("ada@EXAMPLE.com") is not None
    assert backend.customer_by_email("bob@example.com") is None
    assert backend.customer(Who(id=uuid4(), ref="c_2", email="ada@example.com")) is None
    script.says(200, {**CUSTOMER, "status": "closed"})
    assert backend.customer_by_email("ada@example.com") is None


def test_who_has_no_id_there_is_found_by_their_address(script: Scripted, backend: HttpBackend) -> None:
    stranger = Who(id=uuid4(), ref="", email="ada@example.com")
    script.says(404, {"code": "not_found", "message": "There is no such customer."})
    assert backend.orders(stranger, limit=5) == ((), 0)
    with pytest.raises(NotFound):
        refund(backend, stranger)
    assert {path for _, path, _, _ in script.asked} == {"/customers?email=ada%40example.com"}


WRITES: list[tuple[int, Any, type[Exception]]] = [
    (404, {"code": "not_found", "message": "There is no such order."}, NotFound),
    (404, {"code": "no_such_call", "message": "There is no such call."}, Refused),
    (409, {"code": "too_much", "message": "Too much."}, Refused),
    (422, {"code": "invalid", "message": "That is wrong."}, Refused),
    (403, {"code": "suspended", "message": "Your account is suspended."}, Refused),
    (401, {"code": "not_authorised", "message": "A token is needed."}, Unreachable),
    (403, b"<html>Forbidden</html>", Unreachable),
    (429, b"", Unreachable),
    (409, {"code": "in_progress", "message": "Wait."}, AnswerLost),
    (409, b"<html>Conflict</html>", AnswerLost),
    (409, {"code": "Shout!", "message": ""}, AnswerLost),
    (408, {"code": "timeout", "message": "Too late."}, AnswerLost),
    (500, {"code": "oops", "message": "Oops."}, AnswerLost),
    (503, b"", AnswerLost),
    (302, b"", AnswerLost),
    (204, b"", AnswerLost),
]


@pytest.mark.parametrize(("status", "body", "error"), WRITES)
def test_what_an_answer_to_a_write_means(
    script: Scripted, backend: HttpBackend, status: int, body: Any, error: type[Exception]
) -> None:
    script.says(status, body, Location=f"{script.url}/elsewhere")
    with pytest.raises(error) as caught:
        refund(backend)
    assert type(caught.value) is error
    if isinstance(caught.value, Refused):
        assert (caught.value.reason, caught.value.message) == (body["code"], body["message"])
    assert len(script.asked) == 1  # neither followed nor repeated


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500])
def test_could_not_read_is_never_told_as_there_is_none(script: Scripted, backend: HttpBackend, status: int) -> None:
    script.says(status, b"<html>?</html>", Location=f"{script.url}/elsewhere")
    with pytest.raises(Unreachable):
        backend.order(WHO, "FC-1")
    with pytest.raises(Unreachable):
        backend.outcome("k")
    assert len(script.asked) == 2


def test_a_missing_page_of_outcomes_does_not_mean_never(script: Scripted, backend: HttpBackend) -> None:
    script.says(404, {"code": "not_found", "message": "There is no such key."})
    with pytest.raises(Unreachable):
        backend.outcome("k")
    script.says(200, {"state": "done", "call": "create_refund", "answer": {"amount": 1}})
    with pytest.raises(Unreachable):
        backend.outcome("k")
    script.says(200, {"state": "unknown"})
    assert backend.outcome("k").state == "unknown"


def test_nobody_there_means_that_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        backend = HttpBackend(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(Unreachable):
            refund(backend)
        with pytest.raises(Unreachable):
            backend.order(WHO, "FC-1")


def test_too_late_an_answer_is_none(world: RemoteWorld, wire: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_S", 0.2)
    monkeypatch.setattr(transport, "WRITE_S", 0.2)
    wire.dead = True
    with pytest.raises(Unreachable):
        world.backend.order(world.owner, world.paid.number)
    with pytest.raises(AnswerLost):
        world.backend.cancel_order(world.owner, order_number=world.paid.number, reason="", by=world.by("cancel_order"))


def test_an_answer_that_trickles_ends(world: RemoteWorld, wire: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_S", 0.2)
    wire.bytes_per_s = 800
    with pytest.raises(Unreachable):
        world.backend.order(world.owner, world.delivered.number)


def test_after_five_failures_reads_fail_at_once(
    script: Scripted, backend: HttpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("tickets.backends.circuit.time.monotonic", lambda: now[0])
    script.says(500, b"")

    def ask() -> int:
        with pytest.raises(Unreachable):
            backend.order(WHO, "FC-1")
        return len(script.asked)

    assert [ask() for _ in range(7)] == [1, 2, 3, 4, 5, 5, 5]
    now[0] += circuit.PAUSE_S + 1
    assert [ask(), ask()] == [6, 6]  # one looks whether it is back
    now[0] += circuit.PAUSE_S + 1
    script.says(200, ORDER)
    assert [backend.order(WHO, "FC-1") is not None for _ in range(3)] == [True, True, True]


def test_a_record_that_does_not_fit_closes_no_line(script: Scripted, backend: HttpBackend) -> None:
    script.says(200, {})
    for _ in range(6):
        with pytest.raises(Unreachable):
            backend.order(WHO, "FC-1")
    assert len(script.asked) == 6  # one bad order is not the end of all the others


@pytest.mark.django_db
def test_nobody_is_asked_with_a_transaction_open(script: Scripted, backend: HttpBackend) -> None:
    calls: list[Callable[[], object]] = [lambda: backend.order(WHO, "FC-1"), lambda: refund(backend)]
    for call in calls:
        with transaction.atomic(), pytest.raises(RuntimeError):
            call()
    assert script.asked == []


def test_what_was_answered_survives_a_kill(tmp_path_factory: pytest.TempPathFactory, world: RemoteWorld) -> None:
    data = tmp_path_factory.mktemp("killed") / "books.sqlite3"
    by = world.by("request_refund")

    def on(shop: Bikeshop, line: Proxy) -> RemoteWorld:
        return bikeshop_world(shop, line, HttpBackend(f"http://127.0.0.1:{line.port}", TOKEN))

    with running_bikeshop(data) as shop, Proxy(shop.address) as line:
        here = on(shop, line)
        with here.losing(), pytest.raises(AnswerLost):
            here.backend.cancel_order(here.owner, order_number=here.paid.number, reason="", by=by)
    with running_bikeshop(data) as shop, Proxy(shop.address) as line:
        here = on(shop, line)
        assert here.backend.outcome(by.key).state == "done"
        order = here.backend.order(here.owner, here.paid.number)
        assert order is not None
        assert order.status == "cancelled"


def test_an_address_is_needed(settings: Any) -> None:
    settings.BACKEND_URL = ""
    with pytest.raises(ImproperlyConfigured, match="BACKEND_URL"):
        HttpBackend()
