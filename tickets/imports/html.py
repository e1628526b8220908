"""HTML of another help centre as Markdown: what our renderer shows is kept, everything else leaves its text or nothing.

The Markdown is rendered as any other (tickets.markdown), which lets no HTML through: this decides what is worth
keeping, and is not what keeps pages safe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tickets.markdown import link_allowed

GONE = {"script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "video", "audio", "form",
        "head", "button", "select", "textarea", "canvas"}  # fmt: skip
TOLD = {"iframe", "video", "audio", "object", "embed"}  # what a reader will miss
VOID = {"br", "hr", "img", "input", "wbr", "col", "source", "track", "area", "link", "meta", "base", "embed"}
BLOCKS = {"p", "div", "section", "article", "header", "footer", "main", "aside", "figure", "figcaption", "details",
          "summary", "dl", "dt", "dd", "address", "center", "body", "html"}  # fmt: skip
_CELLS, _TERMS = {"td", "th"}, {"dt", "dd"}
CLOSES = {"li": {"li"}, "p": {"p"}, "tr": {"tr", *_CELLS}, "td": _CELLS, "th": _CELLS, "dt": _TERMS, "dd": _TERMS}
DEEPEST = 60  # elements within each other: deeper ones are read as if they were not there
_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")
_LIKE_A_BLOCK = re.compile(r"^(\s*)(#{1,6}(?=\s)|[-+](?=\s)|\d+(?=[.)]\s)|>|~{3,}|={3,}|-{3,})", re.MULTILINE)
_SPACES = re.compile(r"\s+")
Link = Callable[[str], str]


@dataclass(slots=True)
class Node:
    """An element; its children are elements and texts."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Converted:
    """`lost` says what was left out, a phrase each."""

    markdown: str
    lost: list[str]


def to_markdown(html: str, link: Link = str) -> Converted:
    """`link` may lead a href elsewhere; one that our pages do not link afterwards keeps its text alone."""
    tree = _Tree()
    tree.feed(html.replace("\x00", ""))
    tree.close()
    writer = _Writer(link)
    text = "\n\n".join(writer.blocks(tree.root.children))
    return Converted(re.sub(r"\n{3,}", "\n\n", text).strip(), [*tree.lost(), *writer.lost()])


class _Tree(HTMLParser):
    """The elements as a tree; what is never shown is left out with all that is within it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("")
        self._open = [self.root]
        self._gone: list[str] = []
        self._told: dict[str, int] = {}

    def lost(self) -> list[str]:
        return [f"{count} × {tag}" for tag, count in self._told.items()]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in TOLD and not self._gone:
            self._told[tag] = self._told.get(tag, 0) + 1
        if tag in GONE and tag not in VOID:
            self._gone.append(tag)
        if self._gone or tag in GONE:
            return
        self._end_open(CLOSES.get(tag, set()))
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID and len(self._open) < DEEPEST:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if self._gone:
            if tag in self._gone:
                del self._gone[self._gone.index(tag) :]
            return
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].tag == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        if not self._gone:
            self._open[-1].children.append(data)

    def _end_open(self, tags: set[str]) -> None:
        """An <li> ends the one before it, within its own list."""
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].tag in {"ul", "ol", "table", "blockquote"} - tags:
                return
            if self._open[at].tag in tags:
                del self._open[at:]


class _Writer:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._images = self._links = 0

    def lost(self) -> list[str]:
        counted = {"image": self._images, "link to a foreign site": self._links}
        return [f"{count} × {name}" for name, count in counted.items() if count]

    def blocks(self, nodes: Iterable[Node | str]) -> list[str]:
        """Paragraphs, headings, lists, tables, quotes and code, each without blank lines round it."""
        found: list[str] = []
        run: list[Node | str] = []

        def end_run() -> None:
            if text := _LIKE_A_BLOCK.sub(_escaped_block, self.inline(run).strip()):
                found.append(text)
            run.clear()

        for node in nodes:
            if isinstance(node, str) or not self._is_block(node):
                run.append(node)
                continue
            end_run()
            found += self._block(node)
        end_run()
        return found

    def inline(self, nodes: Iterable[Node | str]) -> str:
        text = "".join(self._inline(node) for node in nodes)
        return re.sub(r"[ \t]*\n[ \t]*", "\n", re.sub(r"[ \t]{2,}", " ", text))

    def _is_block(self, node: Node) -> bool:
        blocks = {"ul", "ol", "table", "pre", "blockquote", "hr", *(f"h{n}" for n in range(1, 7)), *BLOCKS}
        if node.tag in blocks:
            return True
        return any(isinstance(child, Node) and self._is_block(child) for child in node.children)

    def _block(self, node: Node) -> list[str]:
        match node.tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                text = _SPACES.sub(" ", self.inline(node.children)).strip()
                return [f"{'#' * min(max(int(node.tag[1]), 2), 4)} {text}"] if text else []
            case "ul" | "ol":
                return [found] if (found := self._list(node)) else []
            case "table":
                return [found] if (found := self._table(node)) else []
            case "pre":
                text = _plain(node).strip("\n")
                fence = "`" * max(3, max((len(run) + 1 for run in re.findall(r"`+", text)), default=0))
                return [f"{fence}\n{text}\n{fence}"] if text.strip() else []
            case "blockquote":
                inner = "\n\n".join(self.blocks(node.children))
                return ["\n".join(f"> {line}".rstrip() for line in inner.split("\n"))] if inner else []
            case "hr":
                return ["---"]
        return self.blocks(node.children)

    def _list(self, node: Node) -> str:
        lines: list[str] = []
        number = 0
        for child in node.children:
            if isinstance(child, str):
                continue
            if child.tag in ("ul", "ol"):  # a list right within a list, as some editors write it
                lines += [f"   {line}" for line in self._list(child).split("\n")]
                continue
            inner = "\n".join(self.blocks(child.children))
            if not inner:
                continue
            number += 1
            mark = f"{number}. " if node.tag == "ol" else "- "
            first, *rest = inner.split("\n")
            lines += [mark + first, *(" " * len(mark) + line if line else "" for line in rest)]
        return "\n".join(lines)

    def _table(self, node: Node) -> str:
        rows = [
            [_SPACES.sub(" ", " ".join(self.blocks(cell.children))).strip() for cell in _cells(row)]
            for row in _within(node, "tr")
        ]
        rows = [row for row in rows if any(row)]
        if not rows:
            return ""
        width = max(map(len, rows))
        head, *body = [row + [""] * (width - len(row)) for row in rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * width, *body))

    def _inline(self, node: Node | str) -> str:
        if isinstance(node, str):
            return _SPECIAL.sub(r"\\\1", _SPACES.sub(" ", node))
        match node.tag:
            case "br":
                return "\n"
            case "img":
                self._images += 1
                return ""
            case "code" | "kbd" | "samp" | "tt":
                text = _SPACES.sub(" ", _plain(node)).strip()
                fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
                return f"{fence}{text}{fence}" if text else ""
            case "a":
                return self._anchor(node)
            case "strong" | "b":
                return _wrapped(self.inline(node.children), "**")
            case "em" | "i":
                return _wrapped(self.inline(node.children), "*")
        return self.inline(node.children)

    def _anchor(self, node: Node) -> str:
        text = self.inline(node.children)
        href = self._link(node.attributes.get("href", "").strip())
        if not text.strip() or not href or href.startswith("#"):
            return text
        if not link_allowed(href) or re.search(r"[()<>]", href):
            self._links += 1
            return text
        return f"[{_SPACES.sub(' ', text).strip()}]({href})"


def _wrapped(text: str, mark: str) -> str:
    """Emphasis has no space at its inner ends, and none round nothing."""
    inner = text.strip()
    if not inner or "\n" in inner:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{mark}{inner.strip('*') or inner}{mark}{after}"


def _escaped_block(found: re.Match[str]) -> str:
    """A line of plain text that Markdown would take for a heading, a list or a rule."""
    digits = found[2].isdigit()
    return f"{found[1]}{found[2]}\\" if digits else f"{found[1]}\\{found[2]}"


def _plain(node: Node) -> str:
    texts = (
        child if isinstance(child, str) else "\n" if child.tag == "br" else _plain(child) for child in node.children
    )
    return "".join(texts)


def _within(node: Node, tag: str) -> list[Node]:
    """The elements of a table, not those of a table within it."""
    found: list[Node] = []
    for child in node.children:
        if isinstance(child, Node):
            found += [child] if child.tag == tag else [] if child.tag == "table" else _within(child, tag)
    return found


def _cells(row: Node) -> list[Node]:
    return [child for child in row.children if isinstance(child, Node) and child.tag in ("td", "th")]
