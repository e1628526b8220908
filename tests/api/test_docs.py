"""The API's own description: whole, and shown without breaking the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.conftest import Caller

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage

PATHS = {
    "/conversations": {"post"},
    "/conversations/{conversation_id}/messages": {"post"},
    "/conversations/{conversation_id}/events": {"get"},
    "/conversations/{conversation_id}/identity": {"post"},
    "/conversations/{conversation_id}/actions/{action_id}": {"post"},
    "/conversations/{conversation_id}/actions/{action_id}/undo": {"post"},
    "/conversations/{conversation_id}/actions/{action_id}/renew": {"post"},
    "/conversations/{conversation_id}/verification": {"post"},
    "/conversations/{conversation_id}/attachments": {"post"},
    "/conversations/{conversation_id}/attachments/{attachment_id}": {"get"},
    "/turns/{turn_id}": {"get"},
    "/tasks": {"post"},
    "/tasks/{task_id}": {"get"},
}


@pytest.fixture
def document(anyone: Caller) -> dict[str, Any]:
    answer = anyone.get("/openapi.json")
    assert answer.status == 200
    return dict(answer.json)


def test_every_call_is_there(document: dict[str, Any]) -> None:
    assert {path.removeprefix("/api/v1"): set(item) for path, item in document["paths"].items()} == PATHS


def test_every_call_says_what_it_does_who_may_and_how_it_refuses(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert path.endswith("/conversations") or operation["security"], path
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert "application/problem+json" in answer["content"], (path, status)
    assert set(document["components"]["securitySchemes"]) == {
        "BearerToken",
        "SessionCookie",
        "StaffKey",
        "StaffKeyHeader",
    }


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            return {part["$ref"]} if "$ref" in part else set().union(*map(references, part.values()))
        return set().union(*map(references, part)) if isinstance(part, list) else set()

    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= schemas


@pytest.mark.timeout(180)
def test_the_page_breaks_no_policy(browser: BrowserContext) -> None:
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page = browser.new_page()
    page.on("console", note)
    page.goto("/api/v1/docs")
    page.locator(".opblock-summary-control").first.click()
    page.locator(".try-out__btn").first.click()
    page.locator(".btn.execute").first.click()
    page.locator(".live-responses-table .response-col_status", has_text="201").first.wait_for()
    assert not said
