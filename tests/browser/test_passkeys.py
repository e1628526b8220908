"""A passkey in a real browser, with an authenticator that Chromium plays: set up, as second step, and alone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.xdist_group("stack")
PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_is_set_up_and_opens_the_desk_both_ways(stack: Stack, browser: BrowserContext) -> None:
    site = f"http://localhost:{urlsplit(stack.url).port}"  # an address of numbers has no passkeys
    page = browser.new_page()
    violations: list[str] = []
    page.on("console", lambda said: violations.append(said.text) if "Content Security Policy" in said.text else None)
    devices = browser.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})
    _password(page, site)
    page.wait_for_url(f"{site}/admin/")
    page.goto(f"{site}/admin/account/passkeys/add/")
    page.get_by_label("A name, so that you know it again").fill("Work laptop")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/account/codes/")
    assert page.locator(".recovery code").count() == 10
    page.goto(f"{site}/admin/account/")
    assert page.get_by_text("Work laptop", exact=True).is_visible()

    browser.clear_cookies()
    _password(page, site)
    page.wait_for_url("**/admin/login/code/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site}/admin/")

    browser.clear_cookies()
    page.goto(f"{site}/admin/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{site}/admin/")
    page.goto(f"{site}/admin/account/")
    assert page.get_by_text("this one").is_visible()
    page.get_by_role("button", name="Remove the passkey Work laptop").click()
    page.wait_for_url("**/admin/account/")
    assert page.get_by_text("Work laptop", exact=True).count() == 0
    assert not violations


def _password(page: Page, site: str) -> None:
    page.goto(f"{site}/admin/login/")
    page.get_by_label("Username").fill("lead")
    page.get_by_label("Password").fill("alder-demo")
    page.get_by_role("button", name="Log in").click()
