"""Secrets at rest: unreadable in the database, another key for each purpose, and told when SECRET_KEY has changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from tests.cast import Cast
from tests.staff_sign_in.conftest import SECRET, give_app
from tickets.models import Webhook
from tickets.sealing import Unreadable, seal, unseal

ANOTHER = "another-key-of-at-least-32-characters"


def test_what_is_sealed_for_one_purpose_opens_for_no_other(settings: Any) -> None:
    sealed = seal("hunter2", purpose="doors")
    assert "hunter2" not in sealed
    assert unseal(sealed, purpose="doors") == "hunter2"
    with pytest.raises(Unreadable):
        unseal(sealed, purpose="windows")
    settings.SECRET_KEY = ANOTHER
    with pytest.raises(Unreadable, match="SECRET_KEY has changed"):
        unseal(sealed, purpose="doors")


@pytest.mark.django_db
def test_a_webhooks_secret_is_plain_to_us_alone(settings: Any) -> None:
    webhook = Webhook.objects.create(name="shop", url="https://shop.example/", events=["ticket.created"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM tickets_webhook")
        (kept,) = cursor.fetchone()
    assert webhook.secret.removeprefix("whsec_") not in kept
    assert Webhook.objects.get().secret == webhook.secret
    settings.SECRET_KEY = ANOTHER
    assert Webhook.objects.get().secret == ""


@pytest.mark.django_db
def test_an_authenticator_app_is_sealed_as_everything_is(cast: Cast) -> None:
    give_app(cast.agent)
    kept = cast.agent.authenticator_set.get(type="totp").data["secret"]  # type: ignore[attr-defined]
    assert unseal(kept, purpose="factors") == SECRET
