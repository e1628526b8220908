"""What each role may do in the admin, and what nobody may change by hand."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from support_agent.models import Turn
from tests.cast import Cast
from tickets.models import AuditEntry, Conversation, Order, Refund, Role, Ticket, TicketComment, User

pytestmark = pytest.mark.django_db

# (permission, roles that have it)
MATRIX = [
    ("tickets.view_order", {"agent", "lead", "ops", "admin"}),
    ("tickets.change_ticket", {"agent", "lead", "admin"}),
    ("tickets.add_ticketcomment", {"agent", "lead", "admin"}),
    ("tickets.change_customer", {"lead", "admin"}),
    ("tickets.change_article", {"lead", "ops", "admin"}),
    ("tickets.view_user", {"lead", "ops", "admin"}),
    ("tickets.change_user", {"admin"}),
    ("tickets.view_auditentry", {"lead", "ops", "admin"}),
    ("support_agent.view_step", {"lead", "ops", "admin"}),
    ("support_agent.add_apikey", {"ops", "admin"}),
    ("auth.change_group", {"admin"}),
]


@pytest.mark.parametrize(("permission", "roles"), MATRIX)
def test_groups_carry_what_the_table_says(permission: str, roles: set[str]) -> None:
    app, codename = permission.split(".")
    holders = Group.objects.filter(permissions__codename=codename, permissions__content_type__app_label=app)
    assert set(holders.values_list("name", flat=True)) == roles


def test_there_is_a_group_for_every_role() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(Role.values)


def test_customers_and_strangers_are_sent_to_the_sign_in(client: Client, cast: Cast) -> None:
    for user in (None, cast.owner_user, cast.stranger):
        client.logout()
        if user is not None:
            client.force_login(user)
        answer = client.get("/admin/")
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("model", ["order", "refund", "return", "invoice", "conversation", "message", "event", "action",
                                   "escalation", "auditentry"])  # fmt: skip
def test_even_admins_cannot_edit_history_or_money(model: str, client: Client, cast: Cast) -> None:
    Refund.objects.create(order=cast.delivered, amount="5.00", reason="Late")
    client.force_login(cast.admin)
    assert client.get(reverse(f"admin:tickets_{model}_add")).status_code == 403
    if model == "order":
        url = reverse("admin:tickets_order_change", args=[cast.delivered.pk])
        assert client.get(url).status_code == 200
        assert client.post(url, {"paid_total": "9999.00", "total": "9999.00"}).status_code == 403
        assert client.post(reverse("admin:tickets_order_delete", args=[cast.delivered.pk])).status_code == 403
        assert Order.objects.get(pk=cast.delivered.pk).paid_total == cast.delivered.paid_total


def test_traces_cannot_be_edited(client: Client, cast: Cast) -> None:
    conversation = Conversation.objects.create(customer=cast.owner)
    turn = Turn.objects.create(conversation=conversation, surface="signed_in", state="answered")
    client.force_login(cast.admin)
    url = reverse("admin:support_agent_turn_change", args=[turn.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"state": "failed"}).status_code == 403


def test_a_change_by_staff_is_audited_by_field(client: Client, cast: Cast) -> None:
    client.force_login(cast.lead)
    url = reverse("admin:tickets_customer_change", args=[cast.owner.pk])
    customer = cast.owner
    form = {
        "name": "Olivia O. Owner",
        "email": customer.email,
        "phone": "",
        "shipping_address": customer.shipping_address,
        "locale": "en",
        "plan": customer.plan,
        "status": customer.status,
        "user": str(customer.user_id),
    }
    assert client.post(url, form).status_code == 302
    entry = AuditEntry.objects.get(action="customer.change")
    assert entry.actor == cast.lead
    assert entry.object_id == str(customer.pk)
    assert entry.fields == ["name"]
    value = entry.values.get()
    assert (value.before, value.after) == ("Olivia Owner", "Olivia O. Owner")


def test_agents_answer_tickets_and_their_comments_carry_their_name(client: Client, cast: Cast) -> None:
    ticket = Ticket.objects.create(number="T-1", customer=cast.owner, subject="Help", body="Please", category="account")
    client.force_login(cast.agent)
    form = {
        "category": "account", "priority": "high", "status": "pending", "team": str(cast.team.pk), "assignee": "",
        "comments-TOTAL_FORMS": "1", "comments-INITIAL_FORMS": "0", "comments-0-body": "Which browser?",
        "comments-0-is_public": "on",
    }  # fmt: skip
    answer = client.post(reverse("admin:tickets_ticket_change", args=[ticket.pk]), form)
    assert answer.status_code == 302
    comment = TicketComment.objects.get()
    assert (comment.author, comment.body, comment.is_public) == (cast.agent, "Which browser?", True)
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.status, ticket.team) == ("high", "pending", cast.team)
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"ticket.change", "ticket.comment"}


def test_agents_cannot_make_staff(client: Client, cast: Cast) -> None:
    client.force_login(cast.agent)
    assert client.get(reverse("admin:tickets_user_changelist")).status_code == 403
    assert client.post(reverse("admin:tickets_user_add"), {"username": "x"}).status_code == 403
    assert not User.objects.filter(username="x").exists()
