"""Chromium over the product in this process: every request is answered by Django's test client, and one that would
leave is written down and cut. What a page lets run, load, send or open is a finding.
"""

from __future__ import annotations

import mimetypes
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connections
from django.test import Client

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route, WebSocketRoute

HOST = "localhost:8123"
ORIGIN = f"http://{HOST}"
SHOP = ["https://alderandpine.example", "https://www.alderandpine.example", "http://alderandpine.example"]
SEQ = re.compile(r'data-seq="(\d+)"')
ANSWERED = re.compile(r"/chat/[0-9a-f-]{36}/frames/")  # what was read is told so where no socket stands
ALLOWED = [ORIGIN, settings.SITE_ORIGIN, *SHOP]
WATCH = """
window.__found = [];
window.__heard = 0;
document.addEventListener("htmx:ws:after:message:incoming", () => { window.__heard += 1; });
window.xss = () => { window.__found.push("a script ran"); return ""; };
document.addEventListener("securitypolicyviolation", (event) => window.__found.push(
    `policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
# What stands in the page and would act by itself, at a click, or take something with it.
READ = """
(allowed) => {
  const found = [...window.__found], seen = new Set();
  const URLS = ["href", "src", "action", "formaction", "poster", "data", "srcset", "background", "ping", "xlink:href",
                "cite", "manifest", "longdesc", "usemap", "imagesrcset", "lowsrc", "dynsrc"];
  const OURS = { script: (e) => e.nonce || e.src?.startsWith?.(location.origin) || /json|template/.test(e.type),
                 link: (e) => ["stylesheet", "icon", "preload", "canonical"].includes(e.rel) || e.hreflang,
                 meta: (e) => !e.httpEquiv, style: (e) => e.nonce, base: () => false };
  const NEVER = ["iframe", "frame", "frameset", "object", "embed", "applet", "portal", "fencedframe", "math", "marquee",
    "video", "audio", "track", "source", "picture", "bgsound", "keygen", "xmp", "plaintext", "listing", "noembed",
    "area", "map", "xss", "animate", "set", "image", "feimage", "use", "foreignObject"];
  const start = (element) => element.outerHTML.slice(0, 120);
  for (const element of document.querySelectorAll("*")) {
    const tag = element.localName;
    if (NEVER.includes(tag) || (tag in OURS && !OURS[tag](element))) found.push(`element: ${start(element)}`);
    for (const { name, value } of element.attributes) {
      if (/^on/i.test(name) || /^(data-)?hx-on/i.test(name)) found.push(`handler: ${name}=${value}`);
      if (/^(data-)?hx-/i.test(name) && /xss|evil/.test(value)) found.push(`htmx: ${name}=${value}`);
      if (name === "style" && /url|xss|evil/i.test(value)) found.push(`style: ${value}`);
      const opens = name === "target" && !/^_(self|top)$/.test(value);
      if (opens && !/noopener/.test(element.rel)) found.push(`opener: ${start(element)}`);
      if (!URLS.includes(name) || element instanceof SVGElement && value.startsWith("#")) continue;
      let url;
      try { url = new URL(value, location.href); } catch { found.push(`address: ${value}`); continue; }
      const mail = url.protocol === "mailto:" && url.pathname.endsWith("@alderandpine.example");
      if (!mail && !allowed.includes(url.origin)) found.push(`address: ${tag} ${name}=${value}`);
    }
    for (const id of ["xss-id", "htmx"]) if (element.id === id || element.name === id) found.push(`clobbered: ${id}`);
    const written = element.id && element.closest(".message, .word, .prose, .text");
    if (written && seen.has(element.id)) found.push(`id twice: ${element.id}`);
    seen.add(element.id);
  }
  if (!(window.htmx === undefined || typeof window.htmx === "object")) found.push("htmx was replaced");
  return [...new Set(found)];
}
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it was answered; `client` asks for what it fetches, `frames` come in on its socket."""

    path: str
    client: Client
    answer: Any
    frames: tuple[str, ...] = ()


class Browser:
    """One profile of Chromium; `findings` by address."""

    def __init__(self, context: Any, connection: Any, thread: ThreadPoolExecutor) -> None:
        # Playwright's loop runs in this thread, where Django would refuse; the test's transaction goes along.
        self._thread, self._connection = thread, connection
        self.findings: dict[str, list[str]] = {}
        self._outside: list[str] = []
        self._frames: list[str] = []
        context.add_init_script(WATCH)
        context.route("**/*", self._answer)
        context.route_web_socket("**/*", self._socket)
        self.page: Page = context.new_page()
        self.page.on("dialog", self._dialog)
        self.page.on("framenavigated", lambda frame: self._frames.append(frame.url))
        context.on("page", lambda page: self._outside.append(f"window: {page.url}"))

    def open(self, shown: Shown) -> None:
        """Load a page and write down what is wrong with it."""
        self._outside, self._frames, self._shown = [], [], shown
        answer = self.page.goto(ORIGIN + shown.path, wait_until="load", timeout=60_000)
        assert answer is not None
        assert answer.status == shown.answer.status_code, shown.path
        self._hear(len(shown.frames))
        self._read(shown.path)

    def _hear(self, frames: int) -> None:
        """Wait until that many came in; asked from here, since the page's policy lets nothing be evaluated in it."""
        deadline = time.monotonic() + 60
        while self.page.evaluate("window.__heard") < frames:
            if time.monotonic() > deadline:
                self._outside.append("the page does not hear its socket any more")
                return
            self.page.wait_for_timeout(50)

    def _read(self, path: str) -> None:
        """Let what failed to load say so, then read the page."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))")
        found: list[str] = self.page.evaluate(READ, ALLOWED)
        moved = [url for url in self._frames if urlsplit(url)[1:3] != urlsplit(ORIGIN + path)[1:3]]
        if found := [*found, *self._outside, *(f"navigated: {url}" for url in moved)]:
            self.findings.setdefault(path, []).extend(found[:8])

    def _answer(self, route: Route, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.netloc != HOST:
            self._outside.append(f"request: {request.url}")
            return route.abort()
        if parts.path.startswith("/static/"):
            return self._static(route, parts.path.removeprefix("/static/"))
        if request.method != "GET" and not ANSWERED.fullmatch(parts.path):
            self._outside.append(f"{request.method}: {parts.path}")
            return route.abort()
        is_page = request.is_navigation_request() and request.url == ORIGIN + self._shown.path
        answer = self._shown.answer if is_page else self._thread.submit(self._ask, request).result()
        if "Location" in answer.headers:  # a browser would follow it past this interception
            self._outside.append(f"redirect: {answer.headers['Location']}")
            return route.fulfill(status=500, body="redirect")
        route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.getvalue())

    def _ask(self, request: Request) -> Any:
        connections["default"] = self._connection
        headers = {name: value for name, value in request.headers.items() if name.startswith(("x-", "hx-", "accept"))}
        return self._shown.client.get(request.url.removeprefix(ORIGIN), headers={**headers, "host": HOST})

    def _static(self, route: Route, name: str) -> None:
        found = finders.find(name)
        if not found:
            return route.fulfill(status=404, body="")
        kind = mimetypes.guess_type(found)[0] or "application/octet-stream"
        route.fulfill(status=200, headers={"Content-Type": kind}, body=Path(found).read_bytes())

    def _socket(self, socket: WebSocketRoute) -> None:
        """The page's own socket: says what the test wants said, then leaves a mark that all of it came."""
        if urlsplit(socket.url).netloc != HOST:
            self._outside.append(f"socket: {socket.url}")
            return
        for frame in self._shown.frames:  # past what the page shows already, or it would drop them
            socket.send(SEQ.sub(lambda found: f'data-seq="{int(found[1]) + 100_000}"', frame))

    def _dialog(self, dialog: Any) -> None:
        self._outside.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Browser over what the running test has in its database."""
    from playwright.sync_api import sync_playwright

    connection = connections["default"]
    connection.inc_thread_sharing()
    try:
        with ThreadPoolExecutor(1) as thread, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            yield Browser(browser.new_context(), connection, thread)
            browser.close()
    finally:
        connection.dec_thread_sharing()
