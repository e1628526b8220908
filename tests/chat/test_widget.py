"""The widget's script and frame: who may embed them, what they need, and whose conversation they show."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client

from support_agent.chat.widget import launcher
from tests.cast import Cast
from tickets.models import Conversation, Customer
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_post

Json = dict[str, Any]
SHOP = "https://shop.example"


def begin(client: Client, token: str = "", **body: Any) -> tuple[int, Json]:
    answer = client.post("/api/v1/conversations", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def bearer(token: str) -> Json:
    return {"headers": {"Authorization": f"Bearer {token}"}}


def identify(client: Client, begun: Json, identity: str) -> tuple[int, str]:
    path = f"/api/v1/conversations/{begun['id']}/identity"
    body = json.dumps({"identity": identity})
    answer = client.post(path, body, content_type="application/json", **bearer(begun["token"]))
    return answer.status_code, answer.json().get("code", "")


def signed(**claims: Any) -> str:
    body = {"sub": "shop-1", "email": "olivia.owner@example.com", "exp": int(time.time()) + 300, **claims}
    return jwt.encode(body, django_settings.IDENTITY_SECRET, algorithm="HS256")


def policy(answer: HttpResponse, name: str) -> list[str]:
    found = re.search(rf"{name} ([^;]*)", answer.headers["Content-Security-Policy"])
    return found[1].split() if found else []


@pytest.fixture
def shops(settings: Any) -> None:
    settings.WIDGET_ORIGINS = [SHOP, "https://Blog.example:443"]


# ---- the script


def test_the_script_is_small_cacheable_and_open_to_every_site(client: Client) -> None:
    answer = client.get("/widget.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "public" in answer.headers["Cache-Control"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not answer.cookies
    assert client.get("/widget.js", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert len(answer.content) < 15_000


def test_the_script_speaks_every_language_of_ours() -> None:
    words = json.loads(re.search(r"const WORDS = (\{.*\});", launcher())[1])  # type: ignore[index]
    assert set(words) == {language for language, _ in django_settings.LANGUAGES}
    assert all(set(each) == set(words["en"]) for each in words.values())
    used = set(re.findall(r"words\.(\w+)", launcher()))
    assert used <= set(words["en"])


def test_the_script_needs_nothing_that_a_strict_policy_forbids() -> None:
    source = launcher()
    for forbidden in ("innerHTML", "eval(", "Function(", "<style", "cssText", "insertAdjacentHTML", "document.write"):
        assert forbidden not in source


# ---- the frame


def test_only_listed_sites_may_embed_the_frame(client: Client, db: None, shops: None) -> None:
    for path in ("/widget/", "/widget/?quiet=1"):
        answer = client.get(path)
        assert policy(answer, "frame-ancestors") == ["'self'", SHOP, "https://Blog.example:443"]
        assert "X-Frame-Options" not in answer.headers
    origins = json.loads(re.search(r'id="widget"[^>]*>(.*?)</script>', answer.content.decode())[1])["origins"]  # type: ignore[index]
    assert origins == ["http://testserver", SHOP, "https://blog.example"]  # as a browser writes them


def test_every_other_page_may_not_be_embedded(client: Client, db: None, shops: None) -> None:
    begun = begin(client)[1]
    for path in ("/", "/privacy/", "/account/login/", "/message/", f"/widget/{begun['id']}/"):
        answer = client.get(path, **bearer(begun["token"]))
        assert policy(answer, "frame-ancestors") == ["'none'"], path
        assert answer.headers["X-Frame-Options"] == "DENY", path


def test_no_cookie_is_set_on_the_whole_way(client: Client, db: None) -> None:
    page = client.get("/widget/")
    begun = begin(client, widget_origin="http://testserver")[1]
    thread = client.get(f"/widget/{begun['id']}/", **bearer(begun["token"]))
    quiet = client.get("/widget/?quiet=1")
    assert [answer.status_code for answer in (page, thread, quiet)] == [200] * 3
    assert not client.cookies
    assert not any("Set-Cookie" in answer.headers for answer in (page, thread, quiet))


def test_the_frame_shows_nobody_whom_a_cookie_names(client: Client, cast: Cast) -> None:
    """Else a site that embeds us on the same domain would show what its visitor never gave it."""
    client.force_login(cast.owner_user)
    assert cast.owner.name.split()[0] not in client.get("/widget/").content.decode()


def test_the_frame_comes_in_the_language_and_theme_asked_for(client: Client, db: None) -> None:
    page = client.get("/widget/?locale=en-GB&theme=dark").content.decode()
    assert '<body class="chat framed dark">' in page
    assert '"locale": "en"' in page
    odd = client.get("/widget/", {"locale": '"><script>', "theme": '"><b>'}).content.decode()
    assert '"><script>' not in odd
    assert '"><b>' not in odd
    assert '<body class="chat framed ">' in odd


# ---- conversations


def test_a_conversation_of_the_widget_is_recorded_as_one(client: Client, db: None, shops: None) -> None:
    status, begun = begin(client, widget_origin=SHOP, locale="en")
    made = Conversation.objects.get(pk=begun["id"])
    assert (status, made.channel, made.metadata) == (201, "widget", {"site": SHOP})


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://shop.example/", "https://shop.example:444", "null", "", "*"]
)
def test_a_site_that_is_not_listed_begins_none(client: Client, db: None, shops: None, origin: str) -> None:
    status, refusal = begin(client, widget_origin=origin)
    assert (status, refusal["code"]) == (403, "foreign_origin")
    assert not Conversation.objects.exists()


def test_the_thread_opens_to_its_token_alone(client: Client, cast: Cast) -> None:
    conversation, token = conversation_create(channel="widget", customer=cast.owner, identity="jwt", with_token=True)
    message_post(conversation=conversation, client_message_id=uuid4(), text="Where is my tent?")
    path = f"/widget/{conversation.pk}/"
    shown = client.get(path, **bearer(token))
    assert "Where is my tent?" in shown.content.decode()
    assert 'data-known="yes"' in shown.content.decode()
    assert token not in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    _, foreign = conversation_create(channel="widget", with_token=True)
    for other in (foreign, "x", ""):
        assert client.get(path, **bearer(other)).status_code == 404
    client.force_login(cast.owner_user)  # the owner's own cookie is no way in either
    assert client.get(path).status_code == 404


# ---- who it is


def test_a_conversation_begun_without_a_name_becomes_theirs(client: Client, cast: Cast) -> None:
    begun = begin(client)[1]
    assert identify(client, begun, signed()) == (200, "")
    made = Conversation.objects.get(pk=begun["id"])
    assert (made.customer, made.identity) == (cast.owner, "jwt")
    verified_at = made.verified_at
    assert identify(client, begun, signed()) == (200, "")  # again, as at every visit
    made.refresh_from_db()
    assert made.verified_at == verified_at


def test_somebody_else_does_not_get_it(client: Client, cast: Cast) -> None:
    begun = begin(client, identity=signed())[1]
    assert identify(client, begun, signed(sub="shop-2", email=cast.other.email)) == (409, "conflict")
    assert Conversation.objects.get(pk=begun["id"]).customer == cast.owner


def test_an_identity_that_cannot_be_used_changes_nothing(client: Client, cast: Cast) -> None:
    begun = begin(client)[1]
    Customer.objects.filter(pk=cast.other.pk).update(external_id="shop-2")
    for identity, refusal in (
        (signed(exp=int(time.time()) - 60), (401, "identity_expired")),
        ("not.a.jwt", (401, "identity_invalid")),
        (signed(email=cast.other.email), (409, "identity_conflict")),
    ):
        assert identify(client, begun, identity) == refusal
    assert Conversation.objects.get(pk=begun["id"]).customer is None


# ---- the demo's shop


def test_the_demo_shop_is_for_the_demo(client: Client, cast: Cast, settings: Any) -> None:
    settings.DEMO = False
    assert client.get("/demo/shop/").status_code == 404
    assert client.post("/demo/shop/identity/", {"as": cast.owner.pk}).status_code == 404
    settings.DEMO = True
    page = client.get("/demo/shop/?theme=dark&position=start&greeting=1")
    assert b'data-theme="dark" data-position="start"' in page.content
    assert policy(page, "script-src") == policy(page, "style-src") == ["'self'"]


def test_the_demo_shop_signs_for_customers_and_never_for_staff(client: Client, cast: Cast, settings: Any) -> None:
    settings.DEMO = True
    made = client.post("/demo/shop/identity/", {"as": cast.owner.pk}).json()["identity"]
    assert begin(client, identity=made)[0] == 201
    assert Conversation.objects.get().customer == cast.owner
    for other in (cast.admin.pk, uuid4(), "x"):
        assert client.post("/demo/shop/identity/", {"as": other}).status_code == 404
