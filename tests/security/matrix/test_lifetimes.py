"""How long each way in lasts, tried a moment before its end and a moment after, with a moved clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client
from django.utils import timezone

from support_agent.chat.endings import STAFF_SESSION
from support_agent.models import ApiKey
from tests.cast import PASSWORD, Cast
from tickets.errors import Expired
from tickets.models import Conversation, Verification
from tickets.services import identity, thread_links
from tickets.services.codes import code_of
from tickets.services.conversations import conversation_create
from tickets.services.identity import verification_check, verification_start
from tickets.services.thread_links import link_make, link_token

pytestmark = pytest.mark.django_db
MOMENT = timedelta(seconds=2)
Json = dict[str, Any]


@contextmanager
def later(by: timedelta) -> Iterator[None]:
    """The clock stands so much later, everywhere Django and we look at it."""
    now = timezone.now
    with patch("django.utils.timezone.now", lambda: now() + by), patch("time.time", _moved(by)):
        yield


def _moved(by: timedelta) -> Any:
    real = time.time
    return lambda: real() + by.total_seconds()


def is_signed_in(browser: Client, path: str) -> bool:
    return browser.get(path).status_code == 200


def staff_in(cast: Cast) -> Client:
    browser = Client()
    assert browser.post("/admin/login/", {"username": "agent", "password": PASSWORD}).status_code == 302
    return browser


def customer_in(cast: Cast) -> Client:
    browser = Client()
    browser.post("/account/login/", {"email": cast.owner.email, "password": PASSWORD})
    browser.post("/chat/start/")
    return browser


def shows_her_name(browser: Client) -> bool:
    return b"Olivia" in browser.get("/").content


def test_staff_sign_in_again_after_a_working_day_however_busy(cast: Cast) -> None:
    browser = staff_in(cast)
    for hours in (3, 6, 9, 11):  # being used does not make it longer
        with later(timedelta(hours=hours)):
            assert is_signed_in(browser, "/admin/inbox/")
            browser.post("/admin/inbox/preferences/", {"has_sound": "1"})
    with later(STAFF_SESSION - MOMENT):
        assert is_signed_in(browser, "/admin/inbox/")
    with later(STAFF_SESSION + MOMENT):
        assert not is_signed_in(browser, "/admin/inbox/")


def test_a_customers_session_lasts_two_weeks_from_its_last_change(cast: Cast) -> None:
    browser, age = customer_in(cast), timedelta(seconds=settings.SESSION_COOKIE_AGE)
    assert age == timedelta(days=14)
    with later(age - 2 * MOMENT):
        assert shows_her_name(browser)
    with later(age + MOMENT):
        assert not shows_her_name(browser)


def test_the_session_cookie_is_for_http_alone(cast: Cast) -> None:
    for browser in (staff_in(cast), customer_in(cast)):
        cookie = browser.cookies["sessionid"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize("sign_in", [staff_in, customer_in])
def test_the_key_changes_with_the_sign_in(cast: Cast, sign_in: Any) -> None:
    """A key that somebody planted before opens nothing after; one that we never gave out is not taken up at all."""
    victim = Client()
    victim.post("/chat/start/")
    planted = victim.cookies["sessionid"].value
    with patch("tests.security.matrix.test_lifetimes.Client", lambda: victim):
        sign_in(cast)
    assert victim.cookies["sessionid"].value != planted
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    assert not shows_her_name(attacker)
    assert not is_signed_in(attacker, "/admin/inbox/")
    attacker.cookies["sessionid"] = "a" * 32
    attacker.post("/chat/start/")
    assert attacker.cookies["sessionid"].value != "a" * 32


def test_the_key_changes_with_a_code(cast: Cast) -> None:
    victim = Client()
    conversation = Conversation.objects.get(pk=victim.post("/chat/start/").json()["id"])
    planted = victim.cookies["sessionid"].value
    path = f"/api/v1/conversations/{conversation.pk}/"
    verification = verification_start(conversation=conversation, email=cast.owner.email)
    answer = victim.post(f"{path}verification", {"code": code_of(verification)}, content_type="application/json")
    assert answer.json()["state"] == "verified"
    assert victim.get(f"{path}events").status_code == 200
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    assert attacker.get(f"{path}events").status_code == 401


def test_a_code_lasts_ten_minutes_and_works_once(cast: Cast) -> None:
    for shift, state in ((-MOMENT, "verified"), (timedelta(), "expired"), (MOMENT, "expired")):
        conversation, _ = conversation_create(channel="chat")
        verification = verification_start(conversation=conversation, email=cast.owner.email)
        with later(identity.VALID_FOR + shift):
            assert verification_check(conversation=conversation, code=code_of(verification)).state == state
    assert Verification.objects.filter(state="verified").count() == 1
    with pytest.raises(Expired):
        verification_check(conversation=conversation, code=code_of(verification))


def test_a_link_from_an_e_mail_lasts_two_weeks_and_works_once(cast: Cast) -> None:
    for shift, status in ((-MOMENT, 302), (MOMENT, 410)):
        conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
        token = link_token(link_make(conversation=conversation, email=cast.owner.email, upto_seq=1))
        with later(thread_links.VALID_FOR + shift):
            assert Client().post("/chat/back/", {"token": token}).status_code == status
            assert Client().post("/chat/back/", {"token": token}).status_code == 410


def test_a_bearer_token_opens_its_conversation_alone_and_changes_with_none(cast: Cast) -> None:
    """It has no end of its own: it opens one conversation, and a linked one has another."""
    (one, token), (other, _) = (conversation_create(channel="api", with_token=True) for _ in range(2))
    headers = {"Authorization": f"Bearer {token}"}
    with later(timedelta(days=365)):
        assert Client().get(f"/api/v1/conversations/{one.pk}/events", headers=headers).status_code == 200
        assert Client().get(f"/api/v1/conversations/{other.pk}/events", headers=headers).status_code == 404
    assert token not in str(Conversation.objects.filter(pk=one.pk).values())


def test_an_api_key_ends_with_its_revocation_and_with_its_owners_role(cast: Cast) -> None:
    raw = ApiKey.new_key()
    key = ApiKey.objects.create(user=cast.ops, name="x", key_hash=ApiKey.hash(raw))

    def status() -> int:
        return Client().get(f"/api/v1/tasks/{uuid4()}", headers={"X-API-Key": raw}).status_code

    assert status() == 404
    cast.ops.groups.clear()
    assert status() == 401
    cast.ops.groups.set(cast.agent.groups.all())
    assert status() == 404
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())
    assert status() == 401


def identity_of(cast: Cast, *, secret: str | rsa.RSAPrivateKey = "", alg: str = "HS256", **claims: object) -> int:
    """The answer to a conversation begun with this identity."""
    payload = {"sub": "u-1", "email": cast.owner.email, "exp": datetime.now(UTC) + timedelta(minutes=5), **claims}
    payload = {name: value for name, value in payload.items() if value is not None}
    token = jwt.encode(payload, secret or (None if alg == "none" else settings.IDENTITY_SECRET), algorithm=alg)  # type: ignore[arg-type]
    return Client().post("/api/v1/conversations", {"identity": token}, content_type="application/json").status_code


def test_a_signed_identity_at_its_edges(cast: Cast) -> None:
    now = datetime.now(UTC)
    assert identity_of(cast) == 201
    assert identity_of(cast, exp=now - timedelta(seconds=5)) == 201  # clocks differ by a little
    assert identity_of(cast, exp=now - timedelta(seconds=15)) == 401
    assert identity_of(cast, nbf=now + timedelta(minutes=5)) == 401
    assert identity_of(cast, iat=now + timedelta(minutes=5)) == 401
    assert identity_of(cast, exp=None) == 401
    assert identity_of(cast, sub=None) == 401
    assert identity_of(cast, email=None) == 401
    assert identity_of(cast, aud="other") == 401  # meant for somebody else
    assert identity_of(cast, iss="https://host.example") == 201  # the secret says who signed; an issuer adds nothing


def test_a_signed_identity_by_others_or_by_nobody(cast: Cast) -> None:
    assert identity_of(cast, alg="none") == 401
    assert identity_of(cast, secret="another secret, as long as it should be") == 401
    assert identity_of(cast, alg="HS512") == 401
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert identity_of(cast, secret=private, alg="RS256") == 401
    assert Conversation.objects.filter(customer=cast.owner).count() == 0


def test_an_identity_leaves_no_session_behind(cast: Cast) -> None:
    browser = Client()
    token = jwt.encode(
        {"sub": "u-1", "email": cast.owner.email, "exp": datetime.now(UTC) + timedelta(minutes=5)},
        settings.IDENTITY_SECRET,
    )
    made = browser.post("/api/v1/conversations", {"identity": token}, content_type="application/json")
    assert made.status_code == 201
    assert "sessionid" not in browser.cookies
    assert browser.get(f"/api/v1/conversations/{made.json()['id']}/events").status_code == 401
