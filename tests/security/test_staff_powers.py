"""Nobody gives away what is another's to give: keys in somebody's name, sign-ins into somebody's account."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from support_agent.models import ApiKey
from tests.cast import Cast
from tickets.models import Conversation
from tickets.services.conversations import conversation_claim, conversation_create

pytestmark = pytest.mark.django_db


def test_ops_make_keys_for_themselves_alone(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    client.post(reverse("admin:support_agent_apikey_add"), {"name": "Mine", "user": str(cast.admin.pk)})
    key = ApiKey.objects.get(name="Mine")
    assert key.user == cast.ops
    client.post(reverse("admin:support_agent_apikey_change", args=[key.pk]), {"name": "M", "user": str(cast.admin.pk)})
    key.refresh_from_db()
    assert (key.name, key.user) == ("M", cast.ops)


def test_a_lead_cannot_sign_in_as_a_customer(client: Client, cast: Cast) -> None:
    client.force_login(cast.lead)
    url = reverse("admin:tickets_customer_change", args=[cast.other.pk])
    form = {name: getattr(cast.other, name) for name in ("email", "shipping_address", "locale", "plan", "status")}
    client.post(url, {**form, "name": "Oscar O.", "user": str(cast.lead.pk)})
    cast.other.refresh_from_db()
    assert cast.other.name == "Oscar O."
    assert cast.other.user != cast.lead


def test_nul_in_what_staff_write(client: Client, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    client.force_login(cast.agent)
    page = f"/admin/inbox/{conversation.pk}/"
    assert client.post(f"{page}reply/", {"text": "a\x00b"}).status_code == 302
    assert client.post(f"{page}hand-back/", {"instruction": "be\x00 kind"}).status_code == 302
    assert Conversation.objects.get(pk=conversation.pk).metadata["instruction"] == "be kind"
