"""What a first visit transfers, as the server really sends it: compressed, and no script before the first paint."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from tickets.services.articles import article_save

BUDGET = 60 * 1024
REFERENCE = re.compile(r"""<(?:script|link|img)\b[^>]*?\b(?:src|href)="(/static/[^"]+)"[^>]*>""")
IN_A_SHEET = re.compile(r"""url\("([^"]+)"\)""")
ON_DEMAND = "newsreader-accents"  # by its unicode-range only for pages that have such letters
SCRIPT = re.compile(r"<script\b([^>]*)>")


@pytest.fixture(params=["production", "make run"])
def first_visit(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path, db: None) -> Client:
    """A browser that never was here; files hashed and compressed when they were collected, or served as they lie."""
    settings.EMBEDDER = "none"
    settings.DEBUG = request.param == "make run"
    if not settings.DEBUG:
        settings.STATIC_ROOT = tmp_path
        backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
        settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
        call_command("collectstatic", interactive=False, verbosity=0)
    body = "\n\n".join(f"## Step {number}\n\n{'Do this, then that. ' * 12}" for number in range(6))
    article_save(slug="tents", title="Pitch a tent", category="product", body=body, status="published")
    return Client(headers={"accept-encoding": "br, gzip"})


def sent(client: Client, path: str) -> tuple[str, int]:
    """(the text of an answer, the bytes that travel)."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    body = answer.content
    plain = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
    lines = [f"{name}: {value}" for name, value in answer.headers.items()] + [
        str(one) for one in answer.cookies.values()
    ]
    return plain.decode("latin-1"), len(body) + sum(len(line) + 2 for line in lines) + len("HTTP/1.1 200 OK\r\n\r\n")


def weight(client: Client, path: str) -> dict[str, int]:
    """Bytes by address: the page and everything it makes a browser fetch."""
    page, size = sent(client, path)
    found = {path: size}
    for address in dict.fromkeys(REFERENCE.findall(page)):
        text, found[address] = sent(client, address)
        if address.endswith(".css"):
            for inner in IN_A_SHEET.findall(text):
                url = urljoin(address, inner)
                if ON_DEMAND not in url and url not in found:
                    found[url] = sent(client, url)[1]
    return found


@pytest.mark.parametrize("path", ["/", "/help/", "/help/tents/", "/account/login/"])
def test_a_first_visit_is_light(first_visit: Client, path: str) -> None:
    found = weight(first_visit, path)
    listed = "\n".join(f"{size:7} {address}" for address, size in found.items())
    print(f"{sum(found.values())} {path}\n{listed}")  # noqa: T201 - with -s: the table of the docs
    assert sum(name.endswith(".css") for name in found) >= 2, "what is counted is the page with its styles"
    assert sum(found.values()) < BUDGET, listed


@pytest.mark.parametrize("path", ["/", "/help/", "/help/tents/", "/account/login/"])
def test_no_script_holds_up_the_first_paint(client: Client, db: None, settings: Settings, path: str) -> None:
    settings.EMBEDDER = "none"
    article_save(slug="tents", title="Pitch a tent", category="product", body="x", status="published")
    page = client.get(path).content.decode()
    scripts = SCRIPT.findall(page)
    assert scripts or path == "/account/login/"
    holding = [one for one in scripts if not re.search(r'\bdefer\b|\basync\b|type="(?:module|application/)', one)]
    assert not holding
