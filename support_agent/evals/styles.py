"""How a customer writes: the same line, terse, sloppy, rambling or angry. What stands in braces is left as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from support_agent.evals.persona_parts import PLACEHOLDER
from support_agent.evals.personas import Style

BEFORE = (
    "So, I was just making coffee and thought I would write to you. ",
    "Hello there, lovely shop by the way, my sister told me about it. ",
    "Sorry if I go on a bit, it has been one of those weeks. ",
)
AFTER = (
    " Anyway, that is what I wanted to say, my neighbour says hello too.",
    " We are off to the mountains soon, if the weather holds.",
    " I hope I have put that clearly, my spelling was never good.",
)
PRESSING = (" Come on!", " I don't have all day!", " And be quick!")
_WORD = re.compile(r"\b[a-z]{7,}\b")


def styled(line: str, style: Style, draw: Random) -> str:
    """The line as this customer writes it; what is drawn comes from `draw` alone."""
    return _STYLES[style](line, draw)


def _plain(line: str, draw: Random) -> str:
    return line


def _terse(line: str, draw: Random) -> str:
    return line.removesuffix(".")


def _rambling(line: str, draw: Random) -> str:
    return f"{draw.choice(BEFORE)}{line}{draw.choice(AFTER)}"


def _angry(line: str, draw: Random) -> str:
    return f"{line}{draw.choice(PRESSING)}"


def _sloppy(line: str, draw: Random) -> str:
    """No capitals, no apostrophes, and two letters of one long word the wrong way round."""
    words = [
        f"{{{part}}}" if i % 2 else part.lower().replace("'", "") for i, part in enumerate(PLACEHOLDER.split(line))
    ]
    at = [(i, match) for i, part in enumerate(words) if not i % 2 for match in _WORD.finditer(part)]
    if at:
        i, match = draw.choice(at)
        k = match.start() + draw.randrange(2, len(match[0]) - 2)
        words[i] = words[i][:k] + words[i][k + 1] + words[i][k] + words[i][k + 2 :]
    return "".join(words)


_STYLES: dict[Style, Callable[[str, Random], str]] = {
    "plain": _plain,
    "terse": _terse,
    "sloppy": _sloppy,
    "rambling": _rambling,
    "angry": _angry,
}
