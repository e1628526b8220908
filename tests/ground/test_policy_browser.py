"""The content security policy as Chromium sees it, on one of each kind of the staff's pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from redis import Redis
from rq import Queue

from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(
    `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
PAGES = [
    "/admin/",
    "/admin/tickets/order/",
    "/admin/tickets/article/add/",
    "/admin/inbox/",
    "/admin/report/",
    "/admin/traces/",
    "/django-rq/",
    "/django-rq/queues/0/",
    "/django-rq/queues/0/empty/",
]


@pytest.mark.timeout(120)
def test_no_kind_of_page_breaks_the_policy(stack: Stack, browser: BrowserContext) -> None:
    staff = stack.demo()["staff"]
    admin = next(person for person in staff if person["role"] == "admin")
    job = Queue("default", connection=Redis.from_url(stack.environment["REDIS_URL"])).enqueue("no.such.module.job")
    browser.add_init_script(WATCH)
    page = browser.new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", admin["username"])
    page.fill("#id_password", admin["password"])
    page.click("[type=submit]")
    found = {}
    for address in [*PAGES, f"/django-rq/queues/0/{job.id}/"]:
        answer = page.goto(address, wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status == 200, address
        assert "default-src 'none'" in answer.headers["content-security-policy"], address
        if violations := page.evaluate("window.violations"):
            found[address] = violations
    assert not found, json.dumps(found, indent=1)
