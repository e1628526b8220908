"""Stored text in Chromium: whatever is written anywhere, on no page does it run, load, send, open or cover anything.

Every text field of every model and everything said in a conversation holds payloads of tests/data/xss.txt; every route
that answers with a page is opened, by whoever may. Longer texts hold all of them, shorter ones those that fit, in turn;
`make faults` puts every payload into every field (tests/faults/test_stored_text_all.py).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from support_agent.chat.renderers.html import HtmlRenderer
from tests.cast import Cast
from tests.conftest import CHROMIUM
from tests.content.browse import Shown, chromium
from tests.content.corpus import PAYLOADS, families
from tests.content.pages import addresses, shown
from tests.content.world import World, unplanted
from tickets.events import event_payload
from tickets.models import Conversation, Customer, Event

Json = dict[str, Any]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no /usr/bin/chromium"),
]
NEVER_PLANTED = {
    "ArticleSection.embedder",
    "SearchTerm.lexeme",
    "TranslatedTerm.lexeme",
    "Workspace.order_number_format",
    "Workspace.other_number_formats",
    "Workspace.time_zone",
}  # the name of a program; single words; what is read by rules that take nothing else
PUBLIC = ("/help/", "/demo/", "/privacy/", "/message/", "/account/", "/chat/", "/admin/login/")
RECORDS = ("/admin/tickets/", "/admin/support_agent/", "/admin/auth/", "/django-rq/", "/api/v1/docs")
WORDS = [
    "customer",
    "conversation",
    "message",
    "order",
    "article",
    "ticket",
    "attachment",
    "demomail",
]
WORDY = (*(f"/admin/tickets/{name}/" for name in WORDS), "/admin/support_agent/step/", "/django-rq/queues/0/")


@pytest.fixture
def world(cast: Cast, settings: pytest.FixtureRequest, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]
    return World(PAYLOADS, cast)


def test_the_corpus_is_wide() -> None:
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 250
    assert min(len(found) for found in families().values()) >= 3


def test_no_page_runs_loads_or_sends_what_somebody_wrote(world: World) -> None:
    assert unplanted(PAYLOADS) == NEVER_PLANTED
    staff, customer = Client(raise_request_exception=False), Client(raise_request_exception=False)
    staff.force_login(world.cast.admin)
    sign_in(customer, world.conversations[0])
    found = list(addresses(world))
    pages = [
        *shown(staff, (one for one in found if not is_public(one) and (not one.startswith(RECORDS) or is_wordy(one)))),
        *shown(customer, (one for one in found if is_public(one))),
    ]
    chat = next(page for page in pages if page.path == "/")
    pages.append(replace(chat, frames=live(world.conversations[0])))
    assert len(pages) > 60
    assert not findings(pages)


def findings(pages: list[Shown]) -> str:
    """What is wrong with pages, by address, once Chromium has shown them."""
    assert not [page.path for page in pages if page.answer.status_code >= 500]
    with chromium() as browser:
        for page in pages:
            browser.open(page)
    return json.dumps(browser.findings, indent=1, ensure_ascii=False) if browser.findings else ""


def is_wordy(path: str) -> bool:
    return path.startswith(WORDY) and (path.count("/") < 5 or path.endswith("/change/"))


def is_public(path: str) -> bool:
    return path == "/" or path.startswith(PUBLIC)


def sign_in(client: Client, conversation: Conversation) -> None:
    customer = Customer.objects.select_related("user").get(conversations=conversation)
    assert customer.user is not None
    client.force_login(customer.user)
    session = client.session
    session["conversations"] = [str(conversation.pk)]
    session.save()


def live(conversation: Conversation) -> tuple[str, ...]:
    """Everything said, as the page's socket brings it, the answer's growing text included."""
    renderer = HtmlRenderer(conversation.pk)
    events = Event.objects.filter(conversation=conversation).select_related("message").order_by("seq")
    frames = [renderer.event(event_payload(event)) for event in events]
    delta = {"type": "delta", "turn_id": "t", "message_id": "m", "offset": 0, "text": "\n\n".join(PAYLOADS)}
    passing: list[Json] = [delta, {"type": "retract"}]
    passing += [{"type": "activity", "state": "thinking", "label": payload} for payload in PAYLOADS[:40]]
    passing += [{"type": "typing", "who": payload} for payload in PAYLOADS[40:60]]
    frames += [frame for one in passing if (frame := renderer.frame(one))]
    frames += [
        renderer.error({"type": "error", "code": "x", "message": payload}, {"type": "verify"})
        for payload in PAYLOADS[60:80]
    ]
    return tuple(frames)
