"""No page breaks the content security policy, as Chromium sees it: Django's admin and django-rq's pages included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import django_rq
import pytest
from django.contrib import admin
from django.urls import reverse
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


def staff_login(stack: Stack, role: str) -> tuple[str, str]:
    cast = stack.manage_json("seed_demo")
    found = next(person for person in cast["staff"] if person["role"] == role)
    return found["username"], found["password"]


def admin_pages() -> list[str]:
    pages = ["/admin/", "/admin/password_change/"]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
    return pages


def queue_pages(stack: Stack) -> list[str]:
    """Pages of a queue that holds one waiting and one failed job."""
    redis = Redis.from_url(stack.environment["REDIS_URL"])
    Queue("default", connection=redis).enqueue("no.such.module.job")
    job = Queue("mail", connection=redis).enqueue_call("tickets.jobs.announce_escalation", args=("none",))
    index = sorted(django_rq.settings.get_queues_map())
    mail = index.index("mail")
    kinds = ("", "details/", "finished/", "failed/", "scheduled/", "started/", "deferred/", "empty/", "requeue-all/")
    pages = ["/django-rq/", f"/django-rq/workers/{mail}/"]
    pages += [f"/django-rq/queues/{number}/{kind}" for number in range(len(index)) for kind in kinds]
    return [*pages, f"/django-rq/queues/{mail}/{job.id}/", f"/django-rq/queues/{mail}/{job.id}/delete/"]


@pytest.mark.timeout(180)
def test_no_page_of_the_staff_breaks_the_policy(stack: Stack, browser: BrowserContext) -> None:
    username, password = staff_login(stack, "admin")
    browser.add_init_script(WATCH)
    page = browser.new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", username)
    page.fill("#id_password", password)
    page.click("[type=submit]")
    found: dict[str, list[str]] = {}
    for address in [*admin_pages(), *queue_pages(stack)]:
        answer = page.goto(address, wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status < 500, address
        assert "default-src 'none'" in answer.headers["content-security-policy"], address
        if violations := page.evaluate("window.violations"):
            found[address] = violations
    assert not found, json.dumps(found, indent=1)
