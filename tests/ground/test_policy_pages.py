"""No page of the staff carries what the content security policy forbids: Django's admin, django-rq's pages.

Every page is read for inline code here; test_policy_browser.py lets Chromium judge one of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import django_rq
import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.cast import Cast


class Inline(HTMLParser):
    """Collects what would need 'unsafe-inline', given the page's nonce."""

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self.nonce = nonce
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        data = tag == "script" and given.get("type") in ("application/json", "text/template")
        inline = tag == "style" or (tag == "script" and "src" not in given and not data)
        if inline and given.get("nonce") != self.nonce:
            self.found.append(f"<{tag}> without the nonce")
        self.found += [name for name in given if name == "style" or re.fullmatch(r"on[a-z]+", name)]
        self.found += [value for value in given.values() if value and value.startswith("javascript:")]


def forbidden(client: Client, page: str) -> list[str]:
    answer = client.get(page)
    assert answer.status_code in (200, 403), page
    nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
    reader = Inline(nonce[1] if nonce else "")
    reader.feed(answer.content.decode())
    return reader.found


def admin_pages() -> list[str]:
    pages = ["/admin/", "/admin/password_change/"]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
    return pages


def queue_pages() -> list[str]:
    """The pages of a queue with a waiting job."""
    job = django_rq.get_queue("mail", commit_mode="auto").enqueue("tickets.jobs.announce_escalation", "none")
    mail = sorted(django_rq.settings.get_queues_map()).index("mail")
    kinds = ("", "details/", "finished/", "failed/", "scheduled/", "started/", "deferred/", "empty/", "requeue-all/")
    pages = ["/django-rq/", f"/django-rq/workers/{mail}/"]
    pages += [f"/django-rq/queues/{mail}/{kind}" for kind in (*kinds, f"{job.id}/", f"{job.id}/delete/")]
    return pages


@pytest.mark.parametrize("pages", [admin_pages, queue_pages])
def test_nothing_on_the_page_needs_unsafe_inline(cast: Cast, client: Client, pages: Callable[[], list[str]]) -> None:
    client.force_login(cast.admin)
    found = {page: bad for page in pages() if (bad := forbidden(client, page))}
    assert not found
