"""Every model has its pages in the admin, they are searchable, and more rows never mean more queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Count, Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from support_agent.models import ApiKey, Heartbeat, Task, Turn
from tests.seeded import demo
from tickets.models import (
    Article,
    AuditEntry,
    Conversation,
    Customer,
    DemoMail,
    Order,
    Promise,
    Return,
    Shipment,
    Team,
    Ticket,
    User,
)
from tickets.services.audit import audit

__all__ = ["demo"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]
OURS = [model for app in ("tickets", "support_agent") for model in apps.get_app_config(app).get_models()]


@pytest.fixture
def staff_client(client: Client) -> Client:
    client.force_login(User.objects.get(username="admin"))
    return client


@pytest.fixture(scope="module", autouse=True)
def _rows_the_demo_has_none_of(demo: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        _make_rows(User.objects.get(username="admin"))


def _make_rows(user: User) -> None:
    conversation, customer = Conversation.objects.first(), Customer.objects.first()
    assert conversation is not None
    for number in range(6):
        audit(actor=user, action="test", obj=conversation, changes={"a": (1, number), "b": (2, number)})
        Promise.objects.create(conversation=conversation, text="Call back.", due_at=timezone.now())
        DemoMail.objects.create(to="a@example.com", sender="b@example.com", subject="Hello", body="Text")
        Heartbeat.objects.create(name=f"runner-{number}", kind="runner")
        Task.objects.create(requested_by=user, customer=customer, task="Summarise", budget_usd=Decimal("1.00"))


def count_queries(get: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = get()
    assert response.status_code == 200
    return len(queries)


def test_every_model_is_registered() -> None:
    missing = [model.__name__ for model in OURS if model not in admin.site._registry]
    assert not missing


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_lists_take_as_many_queries_for_many_rows_as_for_few(
    model: type[Model], staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = admin.site._registry[model]
    assert pages.search_fields or model._meta.model_name == "searchindex"
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    counts = []
    for rows in (2, 60):
        monkeypatch.setattr(pages, "list_per_page", rows)
        counts.append(count_queries(lambda: staff_client.get(url)))
    assert counts[0] == counts[1]
    assert counts[1] <= 10
    assert staff_client.get(url, {"q": "K7F-42P"}).status_code == 200


@pytest.mark.parametrize(
    ("model", "children"),
    [
        (Order, "lines"),
        (Order, "shipments"),
        (Order, "returns"),
        (Shipment, "events"),
        (Return, "lines"),
        (Conversation, "messages"),
        (Ticket, "comments"),
        (Turn, "steps"),
        (Article, "sections"),
        (AuditEntry, "values"),
        (Customer, "orders"),
        (Team, "members"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_pages_take_as_many_queries_for_many_parts_as_for_few(
    model: type[Model], children: str, staff_client: Client
) -> None:
    counted = model._default_manager.annotate(parts=Count(children)).filter(parts__gt=0).order_by("parts")
    few, many = counted.first(), counted.last()
    assert few is not None
    assert many is not None
    urls = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[one.pk]) for one in (few, many)
    ]
    counts = [count_queries(lambda url=url: staff_client.get(url)) for url in urls]  # type: ignore[misc]
    assert counts[1] <= counts[0] + 2  # a part the other has none of, with its own one query
    assert counts[1] <= 14


@pytest.mark.parametrize(
    ("model", "word"),
    [(Order, "order_number"), (Conversation, "reference"), (Ticket, "number"), (Shipment, "tracking_number")],
)
def test_search_finds_by_what_people_read_aloud(model: type[Model], word: str, staff_client: Client) -> None:
    wanted = model._default_manager.order_by("created_at")[3]
    url = reverse(f"admin:tickets_{model._meta.model_name}_changelist")
    answer = staff_client.get(url, {"q": str(getattr(wanted, word)).lower()})
    assert [row.pk for row in answer.context["cl"].result_list] == [wanted.pk]


def test_the_index_leads_to_the_live_pages(staff_client: Client) -> None:
    page = staff_client.get("/admin/").content.decode()
    for address in ("/admin/inbox/", "/admin/traces/", "/django-rq/"):
        assert f'href="{address}"' in page
    assert "Alder &amp; Pine" in page


def test_pages_stay_within_the_content_security_policy(staff_client: Client) -> None:
    order = Order.objects.first()
    assert order is not None
    for url in (
        "/admin/",
        reverse("admin:tickets_order_changelist"),
        reverse("admin:tickets_order_change", args=[order.pk]),
    ):
        answer = staff_client.get(url)
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert " style=" not in answer.content.decode()


def test_a_new_api_key_is_shown_once_and_kept_as_a_hash(staff_client: Client) -> None:
    user = User.objects.get(username="ops")
    form = {"user": str(user.pk), "name": "Nightly report"}
    answer = staff_client.post(reverse("admin:support_agent_apikey_add"), form, follow=True)
    shown = next(str(message) for message in answer.context["messages"] if "sk-staff-" in str(message))
    raw = shown.split("<code>")[1].split("</code>")[0]
    key = ApiKey.objects.get(name="Nightly report")
    assert key.key_hash == ApiKey.hash(raw)
    again = staff_client.get(reverse("admin:support_agent_apikey_change", args=[key.pk])).content.decode()
    assert raw not in again
    staff_client.post(
        reverse("admin:support_agent_apikey_changelist"), {"action": "revoke", "_selected_action": [str(key.pk)]}
    )
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert timezone.now() - key.revoked_at < timedelta(minutes=1)
