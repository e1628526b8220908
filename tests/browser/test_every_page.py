"""Every page of the resolver, light and dark, wide and narrow: axe finds nothing, nothing is cut or too small to hit.

The pages are found, not listed: a new one is looked at as soon as it has an address. `pages.csv` says what each address
gives, so that a page nobody reaches any more is seen: `WRITE_MATRIX=1 .venv/bin/pytest -p no:xdist` with this file
writes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.looking import measured, violations
from tests.security.matrix.table import Table, compare

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.browser.addresses import Addresses

pytestmark = [pytest.mark.timeout(900), pytest.mark.deep]
HERE = Path(__file__).parent
STAFF = ("admin/", "django-rq/")
# Every model's list and forms come from the same templates: these have what others have not (inlines, filters, search,
# deleting, many choices, read-only values, passwords).
MODELS = ("tickets.order", "tickets.article", "tickets.conversation", "tickets.user", "support_agent.switch")
# The API's page draws itself.
DRAWN = "() => !document.getElementById('swagger-ui') || document.querySelector('.opblock')"
# (address, rule): why it stays.
KNOWN: dict[tuple[str, str], str] = {
    ("api/v1/docs", "nested-interactive"): "Swagger UI puts its copy button into the button that opens an operation",
    ("api/v1/docs", "heading-order"): "Swagger UI goes from its first heading to third ones",
    (
        "tickets.user <id>/change/",
        "aria-prohibited-attr",
    ): "Django's SelectFilter2.js names an icon that stands for words",
}


class Looked:
    """What was found, page by page."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def at(self, page: Page, where: str) -> None:
        """Light and wide, dark and narrow, then as narrow as a window may get."""
        self._take(page, where, "light", 1440)
        self._take(page, where, "dark", 360)
        page.set_viewport_size({"width": 320, "height": 800})
        for what in ("wide", "small"):
            self.problems += [f"{where} at 320: {what} {one}" for one in measured(page, what)]

    def _take(self, page: Page, where: str, scheme: str, width: int) -> None:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        self.problems += [
            f"{where} {scheme} {width}: {found}" for found in violations(page) if (where, found.rule) not in KNOWN
        ]


def visit(page: Page, path: str) -> str:
    """What the address gives: page, fragment, a type, redirect or a status; a page is there then, asked for once."""
    response = page.context.request.get(path, max_redirects=0)
    kind = response.headers.get("content-type", "").partition(";")[0]
    if response.status in (301, 302):
        return "redirect"
    if response.status != 200:
        return str(response.status)
    if "content-disposition" in response.headers or kind != "text/html":
        return kind
    if "<html" not in response.text():
        return "fragment"
    page.route("**" + path, lambda route: route.fulfill(response=response), times=1)
    page.goto(path)
    page.wait_for_function(DRAWN)
    return "page"


def test_every_address(people: dict[str, Page], addresses: Addresses) -> None:
    looked, found = Looked(), Table()
    for name, path in addresses["pages"].items():
        own = "admin" if name.startswith(STAFF) else "customer"
        actors = (own, "stranger") if name != "chat/back/" else ("stranger", own)  # its owner's visit uses the link
        for who in actors:
            gives = visit(people[who], path)
            if gives != "redirect":
                break
        if gives == "405":  # takes forms only
            continue
        found[name,] = {"as": who, "gives": gives}
        if gives == "page":
            looked.at(people[who], name)
    compare(str(HERE / "pages.csv"), found)
    assert not looked.problems, "\n".join(looked.problems)


def test_the_records(people: dict[str, Page], addresses: Addresses) -> None:
    looked, page = Looked(), people["admin"]
    for model in MODELS:
        for name, path in addresses["models"][model].items():
            assert visit(page, path) == "page", f"{model} {name} is no page: {path}"
            looked.at(page, f"{model} {name}")
    assert not looked.problems, "\n".join(looked.problems)


def test_what_is_shown_when_something_went_wrong(people: dict[str, Page], addresses: Addresses) -> None:
    looked, page = Looked(), people["stranger"]
    documents = addresses["errors"]

    def answer(route: Route) -> None:
        route.fulfill(body=documents[route.request.url.rpartition("/")[2]], content_type="text/html")

    page.route("**/went-wrong/*", answer)
    for name in documents:
        page.goto(f"/went-wrong/{name}")
        looked.at(page, name)
    assert not looked.problems, "\n".join(looked.problems)
