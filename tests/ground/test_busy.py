"""Too much is said as too much: 429 and 503 with the seconds to wait, never a 500; and strict without Redis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from psycopg_pool import PoolTimeout

from support_agent.env import env
from support_agent.runtime import ratelimit
from support_agent.runtime.ratelimit import RATES, allow
from tests.cast import Cast
from tickets.errors import RateLimited


@pytest.fixture
def one_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "env", env.model_copy(update={"rate_limit_scale": 1.0}))


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Redis fails each time it is asked; how often it was."""
    asked: list[int] = []

    def away() -> Any:
        asked.append(1)
        raise ConnectionError("away")

    monkeypatch.setattr(ratelimit, "_shared", away)
    monkeypatch.setattr(ratelimit, "_redis", ratelimit._Redis())
    ratelimit._local.cache_clear()
    yield asked
    ratelimit._local.cache_clear()


def granted(scope: str, key: str) -> int:
    """How many in a row are allowed."""
    for number in range(RATES[scope] + 1):
        try:
            allow(scope, key)
        except RateLimited:
            return number
    raise AssertionError("there is no limit")


def test_without_redis_what_costs_money_is_strict_and_the_rest_goes_on(one_to_one: None, no_redis: list[int]) -> None:
    assert granted("message", "a conversation") == RATES["message"] // 2
    assert granted("task", "a key") == RATES["task"] // 2
    assert granted("search", "an address") == RATES["search"]
    assert granted("frame", "a conversation") == RATES["frame"]


def test_a_redis_that_fails_is_left_alone_for_a_while(no_redis: list[int]) -> None:
    for _ in range(50):
        allow("frame", "a conversation")
    assert len(no_redis) < 50


@pytest.mark.django_db
def test_searches_of_an_address(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RATES, "search", 0)  # whatever the scale, one a minute is left
    address = "192.0.2.201"
    assert client.get("/help/?q=return", REMOTE_ADDR=address).status_code == 200
    refused = client.get("/help/?q=return", REMOTE_ADDR=address)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "try again" in refused.content.decode()
    assert "Content-Security-Policy" in refused.headers
    assert client.get("/help/", REMOTE_ADDR=address).status_code == 200, "reading is no search"
    assert client.get("/help/?q=return", REMOTE_ADDR="192.0.2.202").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/help/", "/api/v1/conversations/019aa5ef-0000-7000-8000-000000000000/events"])
def test_no_connection_free(client: Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_free(*_: object, **__: object) -> None:
        raise OperationalError("couldn't get a connection after 10.00 sec") from PoolTimeout()

    monkeypatch.setattr("tickets.views.help.shelves", none_free)
    monkeypatch.setattr("support_agent.chat.api.auth.has_credentials", none_free)
    client.raise_request_exception = False
    answer = client.get(path, headers={"Authorization": "Bearer nothing"})
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0


@pytest.mark.django_db
def test_no_connection_for_the_session(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in middleware, outside any view."""

    def none_free(*_: object, **__: object) -> None:
        raise OperationalError("couldn't get a connection after 10.00 sec")

    client.raise_request_exception = False
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.save", none_free)
    answer = client.post("/account/login/", {"as": str(cast.owner.pk)})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


@pytest.mark.django_db
def test_every_refusal_says_when(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RATES, "login", 0)
    answers = [client.post("/account/login/", {}, REMOTE_ADDR="192.0.2.203") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1]["Retry-After"]) > 0
