"""An article's Markdown cut into sections of plain text: what search finds, shows and hands to the assistant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_WORDS = 180  # the model reads 256 tokens
_markdown = MarkdownIt("js-default", {"html": False, "linkify": False})


@dataclass(slots=True)
class Section:
    """`heading` is empty before the first one; `text` has one paragraph, list item or table row per line."""

    heading: str
    lines: list[str] = field(default_factory=list)
    says: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def split_sections(body: str) -> list[Section]:
    """Sections in order, cut at every heading, and again where one grows past MAX_WORDS.

    None is empty, and none holds only links ("See also"), which would be found for what other articles say.
    """
    sections = [Section("")]
    tokens = iter(_markdown.parse(body))
    for token in tokens:
        if token.type == "heading_open":
            sections.append(Section(_plain(next(tokens))))
        elif token.type == "table_open":
            for row in _table(tokens):
                _add(sections, row)
        elif token.type in ("inline", "fence", "code_block"):
            _add(sections, _plain(token), says=_says_something(token))
    return [section for section in sections if section.says]


def _says_something(token: Token) -> bool:
    """Whether there are words outside links."""
    depth = 0
    for child in token.children or [token]:
        depth += child.nesting if child.type.startswith("link_") else 0
        if depth == 0 and child.content.strip(" .,;:–-"):
            return True
    return False


def _add(sections: list[Section], line: str, *, says: bool = True) -> None:
    if not line:
        return
    sections[-1].says |= says
    current = sections[-1]
    if current.lines and sum(len(text.split()) for text in current.lines) + len(line.split()) > MAX_WORDS:
        sections.append(current := Section(current.heading, says=True))
    current.lines.append(line)


def _plain(token: Token) -> str:
    if token.children is None:
        return " ".join(token.content.split())
    return " ".join("".join(child.content or " " * child.type.endswith("break") for child in token.children).split())


def _table(tokens: Iterator[Token]) -> Iterator[str]:
    """Rows as words: `Plus: free` for two columns, `Price a month: Basic 11.95; Explorer 24.95` for more."""
    heads: list[str] = []
    row: list[str] = []
    for token in tokens:
        if token.type == "inline":
            row.append(_plain(token))
        elif token.type == "tr_close":
            if not heads:
                heads = row
            elif len(row) == 2:
                yield f"{row[0]}: {row[1]}"
            else:
                cells = zip(heads[1:], row[1:], strict=False)
                yield f"{row[0]}: " + "; ".join(f"{head} {cell}".strip() for head, cell in cells)
            row = []
        elif token.type == "table_close":
            return
