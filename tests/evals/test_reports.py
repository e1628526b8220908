"""The reports: JUnit as build servers read it, one HTML file that stands alone, and progress for people and logs."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from support_agent.agent.types import Usage
from support_agent.evals.cases import Case
from support_agent.evals.progress import Bar, Lines, Told
from support_agent.evals.report import sums
from support_agent.evals.report_html import as_html
from support_agent.evals.report_junit import as_junit
from support_agent.evals.run import Result
from support_agent.evals.summary import Report

ATTACK = "<script>alert(1)</script> \x00\x08 <img src=//evil.example/x.png> ]]>"
# What the schema of Jenkins' xUnit plugin (junit-10.xsd) allows: element -> (attributes needed, allowed, children).
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors", "skipped", "disabled"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests"},
        {
            "name",
            "tests",
            "failures",
            "errors",
            "time",
            "disabled",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        },
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set()),
    "testcase": (
        {"name", "classname"},
        {"name", "assertions", "time", "classname", "status"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def case(name: str, suite: str = "orders", adversarial: str = "") -> Case:
    return Case.model_validate(
        {
            "id": name,
            "suite": suite,
            "adversarial": adversarial,
            "customer": "owner",
            "steps": ["hello"],
            "expect": {"outcome": "refused", "tools": ["lookup_order"]},
        }
    )


def result(name: str, status: Any = "passed", runs: int = 1, held: int | None = None, **more: Any) -> Result:
    thread = ({"who": "customer", "text": ATTACK}, {"who": "assistant", "text": "No."})
    return Result(
        case(name, more.pop("suite", "orders"), more.pop("adversarial", "")),
        status,
        tuple(more.pop("failures", ())),
        seconds=1.5,
        cost_usd=Decimal("0.002"),
        steps=4,
        answers=("No.",),
        runs=runs,
        held=(runs if status == "passed" else 0) if held is None else held,
        outcome="resolved",
        thread=thread,
        usage=Usage(100, 20, 300, 0),
        **more,
    )


@pytest.fixture
def report() -> Report:
    results = [
        result("fine", runs=2),
        result("wrong", "failed", runs=2, held=1, failures=[f"says “{ATTACK}”"], adversarial="injection"),
        result("held", runs=2, adversarial="injection", suite="attacks"),
        result("left", "skipped", runs=0, failures=["not run"], is_cut=True, suite="attacks"),
    ]
    return Report(
        results,
        model="live",
        repeat=2,
        thresholds={"pass": 0.9, "adversarial": 0.5},
        prompts={"assistant": 3, "planner": None},
        budget_usd=Decimal("1.00"),
        seconds=61,
        started_at=datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
    )


def test_the_figures(report: Report) -> None:
    summary = report.summary()
    assert (summary["passed"], summary["failed"], summary["skipped"], summary["over_budget"]) == (2, 1, 1, 1)
    assert (summary["pass_at_1"]["value"], summary["pass_hat_k"]["value"]) == (pytest.approx(5 / 6, abs=1e-4), 0.6667)
    assert summary["pass_hat"] == {"1": 0.8333, "2": 0.6667}
    assert (summary["adversarial"], summary["adversarial_held"]) == (2, 1)
    assert (summary["tokens_in"], summary["tokens_out"]) == (1600, 80)
    assert report.missed == ["66.7% of the cases passed, and 90.0% had to."]
    assert not report.is_passed
    text = "\n".join(sums(report))
    assert "pass^2        66.7%  (95 %: 20.8% to 93.9%)" in text
    assert "The budget of 1.00 USD left 1 cases out." in text


def test_junit_is_what_build_servers_read(report: Report) -> None:
    root = ET.fromstring(as_junit(report))
    for element in root.iter():
        needed, allowed, children = SCHEMA[element.tag]
        assert needed <= set(element.attrib) <= allowed, element.tag
        assert {child.tag for child in element} <= children, element.tag
    suites = {suite.get("name"): suite for suite in root}
    assert {name: suite.get("tests") for name, suite in suites.items()} == {"orders": "2", "attacks": "2"}
    assert suites["orders"].get("timestamp") == "2026-11-21T08:00:00"
    failure = root.find(".//failure")
    assert failure is not None
    assert "1 of 2 runs passed" in (failure.text or "")
    assert "customer: <script>alert(1)</script>" in (failure.text or "")
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("4", "1", "1")


def test_the_page_stands_alone_and_runs_nothing(report: Report) -> None:
    page = as_html(report)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search(r"""<[^>]*\s(?:src|href)\s*=|url\(|@import""", page)  # nothing is loaded, nothing leads away
    assert "prefers" in page or "light-dark(" in page
    assert page.index('id="wrong"') < page.index("All cases")
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert (
        "Not reached Evaluation 4 cases with the configured models, 2 times each, 21 November 2026, 08:00 UTC" in text
    )
    assert "1 of 2, 50 % wanted 95 % interval: 9 to 91 %" in text
    assert "The budget of 1.00 USD left 1 case out." in text
    assert "pass^1 pass^2 83.3 % 66.7 %" in text
    assert "injection 1 of 2" in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told() -> Iterator[Result]:
    for number in range(20):
        failed = number == 3
        yield result(f"case-{number}", "failed" if failed else "passed", failures=["says no"] if failed else [])


def shown(told_by: Told) -> None:
    with told_by.shown():
        for one in told():
            told_by.result(one)


def test_progress_in_a_log_is_a_line_for_each_failure_and_tenth() -> None:
    stream = io.StringIO()
    shown(Lines(stream, 20))
    lines = stream.getvalue().splitlines()
    assert lines[1] == "FAIL case-3: says no"
    assert lines[2] == "4/20 cases, 3 passed, 1 failed, 0.0080 USD"
    assert len(lines) == 11


def test_progress_on_a_terminal_is_a_bar() -> None:
    stream = Terminal()
    shown(Bar(stream, 20))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "20/20 cases" in text
    assert "19 passed, 1 failed, 0.0400 USD" in text
    assert "FAIL case-3: says no" in text
