"""Tickets as a file: by page without personal data, by command with them where that is asked for."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.cast import Cast
from tickets.models import Ticket
from tickets.services.tickets import ticket_create

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(cast: Cast) -> list[Ticket]:
    made = [
        ticket_create(subject="=cmd|' /C calc'!A0", body="Mail me at olivia.owner@example.com", category="billing",
                      customer=cast.owner),
        ticket_create(subject="Tent", body="leaks", category="product", contact_email="someone@example.net"),
    ]  # fmt: skip
    Ticket.objects.filter(pk=made[0].pk).update(created_at=datetime(2026, 1, 5, tzinfo=UTC), status="solved")
    return made


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def test_the_page_s_file_names_nobody_and_runs_no_formula(cast: Cast, client: Client, tickets: list[Ticket]) -> None:
    client.force_login(cast.lead)
    text = body(client.get("/admin/ops/tickets/export.csv"))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["number"] for row in rows] == [ticket.number for ticket in tickets]
    assert "example.com" not in text
    assert "example.net" not in text
    assert cast.owner.name not in text
    assert cast.owner.name not in body(client.get("/admin/ops/tickets/export.json"))
    assert rows[0]["subject"].startswith("'=")
    assert rows[0]["customer_id"] == str(cast.owner.pk)


def test_dates_and_status_narrow_it(cast: Cast, client: Client, tickets: list[Ticket]) -> None:
    client.force_login(cast.lead)
    early = json.loads(body(client.get("/admin/ops/tickets/export.json?before=2026-02-01")))
    open_ones = json.loads(body(client.get("/admin/ops/tickets/export.json?status=open&since=2026-02-01")))
    assert [row["number"] for row in early] == [tickets[0].number]
    assert [row["number"] for row in open_ones] == [tickets[1].number]


@pytest.mark.parametrize(
    ("query", "said"), [("since=yesterday", "since must be a day"), ("status=lost", "status must be one of open")]
)
def test_a_wrong_filter_is_told(cast: Cast, client: Client, query: str, said: str) -> None:
    client.force_login(cast.lead)
    answer = client.get(f"/admin/ops/tickets/export.csv?{query}")
    assert (answer.status_code, said in answer.content.decode()) == (400, True)


def test_an_agent_may_not_and_sees_no_button(cast: Cast, client: Client, tickets: list[Ticket]) -> None:
    client.force_login(cast.agent)
    assert client.get("/admin/ops/tickets/export.csv").status_code == 403
    assert "Export as CSV" not in client.get("/admin/tickets/ticket/").content.decode()
    client.force_login(cast.lead)
    assert "Export as CSV" in client.get("/admin/tickets/ticket/").content.decode()


def test_the_command_moves_them_to_another_system(tickets: list[Ticket], tmp_path: Path) -> None:
    call_command("export_tickets", "--personal", "--output", str(tmp_path / "all.csv"))
    rows = list(csv.DictReader((tmp_path / "all.csv").open()))
    assert rows[0]["subject"] == "=cmd|' /C calc'!A0"
    assert rows[0]["customer_email"] == "olivia.owner@example.com"
    assert rows[0]["customer_name"] == "Olivia Owner"
    call_command("export_tickets", "--json", "--status", "open", "--output", str(tmp_path / "open.json"))
    (row,) = json.loads((tmp_path / "open.json").read_text())
    assert row["contact_email"] == ""
    call_command("export_tickets", "--output", str(tmp_path / "plain.csv"))
    assert "Olivia" not in (tmp_path / "plain.csv").read_text()


def test_a_file_that_cannot_be_written_is_told(tickets: list[Ticket], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_tickets", "--output", str(tmp_path / "no" / "such.csv"))
