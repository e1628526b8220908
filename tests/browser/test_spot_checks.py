"""A spot check in Chromium, by keys alone: 1, 2, 3 choose, Enter keeps, the note is a field like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

DRAW = """
from datetime import timedelta
from django.utils import timezone
from django.test import Client
from support_agent.models import SpotCheck, Turn
from tickets.models import Message, User
asked = Message.objects.filter(role="customer").values("turn_id")
answers = Message.objects.filter(role="assistant").values("turn_id")
turns = Turn.objects.filter(state="answered", spot_check=None, pk__in=answers).filter(pk__in=asked)
turns = turns.exclude(conversation__messages__role="staff").exclude(conversation__escalations__isnull=False)
check = SpotCheck.objects.create(turn=turns.order_by("pk").first())
client = Client()
client.force_login(User.objects.get(username="agent"))
print(client.session.session_key, check.pk)
"""


def test_by_keys_alone(stack: Stack, browser: BrowserContext) -> None:
    key, check = stack.manage("shell", "-c", DRAW).strip().splitlines()[-1].split()
    browser.add_cookies([{"name": "sessionid", "value": key, "url": stack.url}])
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"/admin/evals/spot-checks/{check}/")
    assert "Is every statement right?" not in page.content()
    page.keyboard.press("Enter")  # nothing is chosen: nothing is kept
    page.keyboard.press("1")
    page.keyboard.press("2")  # on second thought
    assert page.get_by_label("No").is_checked()
    page.keyboard.press("Enter")
    page.get_by_text("You said: nobody was needed.").wait_for()
    page.wait_for_load_state()  # the keys are there once the page's script is
    page.keyboard.press("2")
    page.keyboard.press("Tab")
    assert page.get_by_label("Note").evaluate("one => one === document.activeElement")
    page.keyboard.type("13 days, not 12")
    assert page.get_by_label("Wrong").is_checked()  # digits in the note are words
    page.keyboard.press("Enter")
    page.get_by_text("Judged by you").wait_for()
    assert page.get_by_text("13 days, not 12").is_visible()
    assert not problems
