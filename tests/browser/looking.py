"""What a person would see or reach on a page: axe's findings, targets, widths, focus. js/looking.js measures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axe_playwright_python.base import AXE_SCRIPT

if TYPE_CHECKING:
    from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
REPEATED = ["tbody > tr:nth-child(n+7)", "#rows > li:nth-child(n+7)"]  # as the rows before; looking at all takes long
TEXT_SPACING = """
* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-block-end: 2em !important; }
"""


@cache
def script() -> str:
    """axe and our own measuring, for `add_init_script`: they are there before the page is."""
    return str(AXE_SCRIPT) + (Path(__file__).parent / "js/looking.js").read_text()


@dataclass(frozen=True)
class Finding:
    rule: str
    targets: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule} {list(self.targets)[:4]}{' …' if len(self.targets) > 4 else ''}"


def violations(page: Page) -> list[Finding]:
    """What axe objects to by WCAG 2.2 A and AA and by good practice."""
    run = {"type": "tag", "values": RULES}
    options = {"resultTypes": ["violations"], "runOnly": run, "preload": False, "iframes": False}
    found = page.evaluate(
        "([exclude, options]) => axe.run({exclude}, options).then(({violations}) =>"
        " violations.map(one => [one.id, one.nodes.map(node => node.target.join(' '))]))",
        [REPEATED, options],
    )
    return [Finding(rule, tuple(targets)) for rule, targets in found]


def measured(page: Page, what: str, *arguments: Any) -> list[str]:
    """A list from js/looking.js: small, wide, cut, moving, unseen."""
    found: list[str] = page.evaluate("([what, given]) => looking[what](...given)", [what, [*arguments]])
    return found


def focus_of(page: Page) -> dict[str, Any] | None:
    """Where the focus is, as looking.js says; None: nowhere."""
    found: dict[str, Any] | None = page.evaluate("looking.focus()")
    return found


def add_style(page: Page, css: str) -> None:
    """A reader's own style sheet: the page's policy has no say in it."""
    page.evaluate(
        "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css);"
        " document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]; }",
        css,
    )
