"""How a company's numbers look, written as masks: `AP-######`, `FC-####-#####`, `####+`.

`#` is a digit, `@` a letter, a `+` after either means that many or more; everything else stands for itself, letter case
ignored. Several masks are separated by commas. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

LONGEST, MOST = 40, 8
_PART = re.compile(r"(#+|@+)(\+?)|([^#@]+)")
_STRANGE = re.compile(r"[^A-Za-z0-9 ./_-]")
_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
# A number of digits alone is one of ours only where it is called so: else each year and each price would be.
_CALLED = (
    r"(?:\b(?:order|orden|pedido|commande|bestell(?:ung|nummer)|auftrag|طلب)\w*"
    r"(?:\s+(?:number|no|nr|num|id|numéro|número|nummer))?[.:]?\s*#?\s*|#\s?)"
)


@dataclass(frozen=True, slots=True)
class Mask:
    """One mask. `exact` finds such a number in a text (its group), `loose` matches one typed without its marks."""

    text: str
    exact: re.Pattern[str]
    loose: re.Pattern[str]

    @property
    def example(self) -> str:
        """A number of this look, the same each time: AP-104233."""
        signs = {"#": iter("104233567890" * 4), "@": iter("KRTMBEFGHJ" * 4)}
        return "".join(next(signs[sign]) if sign in signs else sign for sign in self.text.replace("+", ""))

    @property
    def words(self) -> str:
        """What it looks like, for a model: 'AP- and six digits'."""
        told = [literal or _told(run, plus) for run, plus, literal in _parts(self.text)]
        return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))

    def canonical(self, written: str) -> str:
        """The number as records have it, or '' when this is none: '#ap 104233' and '104233' are AP-104233."""
        found = self.loose.fullmatch(re.sub(r"[\W_]", "", written).upper())
        if found is None:
            return ""
        runs = iter(found.groups())
        return "".join(next(runs) if run else literal.upper() for run, _, literal in _parts(self.text))


def masks(text: str) -> tuple[Mask, ...]:
    """The masks of a comma-separated list. Raises ValueError with a sentence for the person who wrote it."""
    written = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if len(written) > MOST:
        raise ValueError(f"At most {MOST} formats can be named.")
    return tuple(_mask(part) for part in written)


def canonical(known: Sequence[Mask], written: str) -> str:
    """A number as records have it, by the first mask that fits; else as it was written, without blanks and '#'."""
    fitting = (found for mask in known if (found := mask.canonical(written)))
    return next(fitting, "") or re.sub(r"[\s#]", "", written)


def numbers_in(known: Sequence[Mask], text: str) -> Iterator[str]:
    """Each number of these looks in a text, as it stands there."""
    for mask in known:
        yield from (match[1] for match in mask.exact.finditer(text))


@cache
def _mask(text: str) -> Mask:
    if len(text) > LONGEST:
        raise ValueError(f"“{text[:20]}…” is too long: a format has at most {LONGEST} characters.")
    exact, loose, named = "", "", ""
    for run, plus, literal in _parts(text):
        if run:
            sort = rf"{r'[0-9]' if run[0] == '#' else '[A-Za-z]'}{{{len(run)}{f',{LONGEST}' if plus else ''}}}"
            exact, loose = exact + sort, f"{loose}({sort})"
        elif strange := _STRANGE.search(literal):
            raise ValueError(f"“{text}” has a “{strange[0]}”: a format is made of #, @, +, letters, digits and . / _ -")
        else:
            exact += re.escape(literal)
            letters = re.sub(r"[\W_]", "", literal)
            named += letters
            # What stands before the first digits may be left out: people say '104233'.
            loose += letters if "(" in loose else f"(?:{letters})?"
    if text.count("#") < 3:
        raise ValueError(f"“{text}” has fewer than three digits (#): any word could be such a number.")
    called = "" if named or "@" in text else _CALLED
    return Mask(
        text,
        re.compile(rf"{called}(?<![A-Za-z0-9_])({exact})(?![A-Za-z0-9_])", re.IGNORECASE),
        re.compile(loose, re.IGNORECASE),
    )


def _parts(text: str) -> list[tuple[str, str, str]]:
    """(run of # or @, its +, other signs): the first or the last is empty."""
    return _PART.findall(text)


def _told(run: str, plus: str) -> str:
    count = _COUNTS[len(run)] if len(run) < len(_COUNTS) else str(len(run))
    sort = ("digit" if run[0] == "#" else "letter") + ("s" if len(run) > 1 or plus else "")
    return f"{count} {'or more ' if plus else ''}{sort}"
