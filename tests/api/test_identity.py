"""The signed identity of a host site: trusted only when it is ours, in time, and about one person."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.db import connection

from tests.api.conftest import Answer, Caller
from tests.cast import Cast
from tickets.models import AuditEntry, Customer
from tickets.services.customers import customer_identified


def signed(secret: str = "", algorithm: str = "HS256", **claims: Any) -> str:
    body = {"sub": "shop-1", "email": "olivia.owner@example.com", "exp": int(time.time()) + 300, **claims}
    body = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(body, secret or settings.IDENTITY_SECRET, algorithm=algorithm)


def begin(caller: Caller, token: str) -> Answer:
    return caller.begin(identity=token)


def test_the_first_use_binds_the_customer_with_that_address(anyone: Caller, cast: Cast) -> None:
    assert begin(anyone, signed(email="Olivia.Owner@Example.com")).status == 201
    made = anyone.conversation
    assert (made.customer, made.identity) == (cast.owner, "jwt")
    assert made.verified_at is not None
    assert Customer.objects.get(pk=cast.owner.pk).external_id == "shop-1"
    assert AuditEntry.objects.filter(action="customer.bind_identity").count() == 1


def test_later_uses_go_by_sub(anyone: Caller, cast: Cast) -> None:
    begin(anyone, signed())
    begin(anyone, signed(email="new.address@example.com"))
    assert anyone.conversation.customer == cast.owner
    assert not Customer.objects.filter(email="new.address@example.com").exists()


def test_an_unknown_address_becomes_a_customer(anyone: Caller, cast: Cast) -> None:
    begin(anyone, signed(sub="shop-9", email="nina.new@example.com", name="Nina New"))
    customer = anyone.conversation.customer
    assert customer is not None
    assert (customer.email, customer.name, customer.external_id) == ("nina.new@example.com", "Nina New", "shop-9")


@pytest.mark.parametrize("name", [None, 7, "", "<script>", "http://evil.example"])
def test_a_name_that_cannot_be_shown_is_left_out(anyone: Caller, db: None, name: Any) -> None:
    begin(anyone, signed(email="nina.new@example.com", name=name))
    assert anyone.conversation.customer is not None
    assert anyone.conversation.customer.name == "nina.new"


def test_another_sub_cannot_take_the_address(anyone: Caller, cast: Cast) -> None:
    begin(anyone, signed())
    assert begin(anyone, signed(sub="shop-2")).refusal == (409, "conflict")
    assert Customer.objects.get(pk=cast.owner.pk).external_id == "shop-1"


def test_a_closed_account(anyone: Caller, cast: Cast) -> None:
    Customer.objects.filter(pk=cast.owner.pk).update(status="closed")
    assert begin(anyone, signed()).refusal == (403, "not_allowed")


def test_expired(anyone: Caller, cast: Cast) -> None:
    assert begin(anyone, signed(exp=int(time.time()) - 60)).refusal == (401, "identity_expired")


def unsigned() -> str:
    """`alg: none`, by hand: no library signs it any more."""
    parts = [{"alg": "none", "typ": "JWT"}, {"sub": "x", "email": "a@example.com", "exp": 2_000_000_000}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda: signed("another-secret-of-more-than-32-characters"), id="forged"),
        pytest.param(lambda: signed(algorithm="HS512"), id="other algorithm"),
        pytest.param(unsigned, id="alg none"),
        pytest.param(lambda: signed(exp=None), id="no exp"),
        pytest.param(lambda: signed(sub=None), id="no sub"),
        pytest.param(lambda: signed(email=None), id="no email"),
        pytest.param(lambda: signed(email="not an address"), id="bad email"),
        pytest.param(lambda: signed(email=["a@example.com"]), id="email list"),
        pytest.param(lambda: signed(sub=""), id="empty sub"),
        pytest.param(lambda: signed(sub="x" * 201), id="long sub"),
        pytest.param(lambda: signed(sub="a\x00b"), id="NUL"),
        pytest.param(lambda: signed(exp=1e400), id="infinite exp"),
        pytest.param(lambda: signed(name="x" * 5000), id="huge"),
        pytest.param(lambda: "not.a.jwt", id="no jwt"),
        pytest.param(lambda: "", id="empty"),
        pytest.param(lambda: "é.è.ê", id="not ascii"),
    ],
)
def test_what_cannot_be_trusted(anyone: Caller, cast: Cast, token: Any) -> None:
    assert begin(anyone, token()).refusal == (401, "identity_invalid")
    assert not Customer.objects.exclude(external_id=None).exists()


def test_without_a_secret_none_is_accepted(anyone: Caller, db: None, settings: Any) -> None:
    token = signed()
    settings.IDENTITY_SECRET = ""
    assert begin(anyone, token).refusal == (401, "identity_not_configured")


@pytest.mark.django_db(transaction=True)
def test_many_first_uses_at_once_make_one_customer() -> None:
    def first_use(number: int) -> str:
        try:
            return str(customer_identified(sub="shop-9", email="nina.new@example.com", name="Nina New").pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(first_use, range(8)))) == 1
    assert Customer.objects.filter(email="nina.new@example.com").count() == 1
