"""Names in the place of values: what is somebody's, or another in each run, never enters a cassette.

The same value has the same name throughout its conversation. A name is one that the caller gave (`customer.email`),
or a kind and a number in the order of first appearance (`order 2`). Replayed, the names stand for today's values.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

_NAME = re.compile(r"⟦([^⟧]*)⟧")
_FORMS: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper}
# Escapes within JSON text: as long as they are, but without a letter that would touch the word behind it.
_ESCAPES = {"\\n": "\x02\n", "\\t": "\x02\t", "\\r": "\x02\r"}


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of value. `stand_in` makes the n-th that only the model has named; '' is for kinds that are just blotted
    out of requests, such as the time of day. With `led`, the pattern's group 1 only leads to the value."""

    kind: str
    pattern: re.Pattern[str]
    stand_in: str = ""
    is_one: Callable[[str], bool] = _always
    led: bool = False


@dataclass(frozen=True, slots=True)
class Hiding:
    """What must not enter. `blot` takes secrets out of a text for good; `fields` are those of tool results whose
    values differ from run to run."""

    rules: Sequence[Rule] = ()
    blot: Callable[[str], str] = str
    fields: frozenset[str] = frozenset()


@dataclass
class Values:
    """The values of one conversation and their names, as far as it has come."""

    hiding: Hiding
    _values: dict[str, str] = field(default_factory=dict)  # name -> value
    _names: dict[str, str] = field(default_factory=dict)  # value in lower case, as JSON writes it too -> name
    _counts: Counter[str] = field(default_factory=Counter)
    _known: re.Pattern[str] | None = None

    def know(self, named: Mapping[str, str]) -> None:
        """Values by the names that the caller has for them."""
        for name, value in named.items():
            if len(value.strip()) > 1:
                self._put(name, value)

    def learn(self, texts: Iterable[str]) -> None:
        """Give a name to each value in these texts that has none yet."""
        for text in texts:
            rest = self._without_known(_shadow(self.hiding.blot(text)))
            for rule in self.hiding.rules:
                if rule.stand_in:
                    rest = self._learn(rule, rest)

    def hide(self, text: str, *, blots: bool = True) -> str:
        """The text with names for its values; with `blots`, as for requests, without what rules only blot out."""
        return "".join(self.hide_pieces([text], blots=blots))

    def hide_pieces(self, pieces: Sequence[str], *, blots: bool = False) -> list[str]:
        """A text that came in pieces: a name stands in the piece where its value began."""
        whole = "".join(pieces)
        if (blotted := self.hiding.blot(whole)) != whole:  # where the pieces were does not matter any more
            whole, pieces = blotted, [blotted, *[""] * (len(pieces) - 1)]
        spans = self._spans(_shadow(whole), whole, blots=blots)
        ends = list(accumulate(map(len, pieces)))
        return [_with_names(whole, end - len(piece), end, spans) for piece, end in zip(pieces, ends, strict=True)]

    def show(self, text: str) -> str:
        """The text with today's values for its names; a name nobody has used yet gets a made-up value."""
        return _NAME.sub(lambda match: self._value(match[1], match[0]), text)

    def _value(self, written: str, otherwise: str) -> str:
        name, _, form = written.partition("~")
        if name not in self._values:
            kind, _, number = name.rpartition(" ")
            rule = next((rule for rule in self.hiding.rules if rule.kind == kind and rule.stand_in), None)
            if rule is None or not number.isdecimal():
                return otherwise
            self._counts[kind] = max(self._counts[kind], int(number))
            self._put(name, rule.stand_in.format(n=int(number)))
        return _FORMS.get(form, str)(self._values[name])

    def _learn(self, rule: Rule, rest: str) -> str:
        """The text without what this rule has found."""
        for match in list(rule.pattern.finditer(rest)):
            start, end = match.end(1) if rule.led else match.start(), match.end()
            value = rest[start:end]
            if "\x00" in value or not rule.is_one(value):
                continue
            if value.lower() not in self._names:
                self._counts[rule.kind] += 1
                self._put(f"{rule.kind} {self._counts[rule.kind]}", value)
            rest = f"{rest[:start]}{chr(0) * len(value)}{rest[end:]}"
        return rest

    def _put(self, name: str, value: str) -> None:
        self._values[name] = value
        for written in (value, json.dumps(value)[1:-1]):
            self._names.setdefault(written.lower(), name)
        longest_first = sorted(self._names, key=len, reverse=True)
        either = "|".join(map(re.escape, longest_first))
        self._known = re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])", re.IGNORECASE)

    def _without_known(self, text: str) -> str:
        return self._known.sub(lambda match: "\x00" * len(match[0]), text) if self._known else text

    def _spans(self, shadow: str, whole: str, *, blots: bool) -> list[tuple[int, int, str]]:
        """(start, end, name with its brackets) of everything to hide, in order, without overlaps."""
        found = [
            (*match.span(), self._name(whole[match.start() : match.end()]))
            for match in (self._known.finditer(shadow) if self._known else ())
        ]
        if blots:
            rest = self._without_known(shadow)
            rules = [rule for rule in self.hiding.rules if not rule.stand_in]
            found += [(*match.span(), f"⟦{rule.kind}⟧") for rule in rules for match in rule.pattern.finditer(rest)]
        return sorted(found)

    def _name(self, written: str) -> str:
        name = self._names[written.lower()]
        form = next((form for form, made in _FORMS.items() if made(self._values[name]) == written), "")
        return f"⟦{name}~{form}⟧" if form and written != self._values[name] else f"⟦{name}⟧"


def _shadow(text: str) -> str:
    for escape, other in _ESCAPES.items():
        text = text.replace(escape, other)
    return text


def _with_names(whole: str, start: int, end: int, spans: Sequence[tuple[int, int, str]]) -> str:
    """whole[start:end] with the names of the values that begin there, without what is left of those begun before."""
    parts, at = [], start
    for begins, ends, name in spans:
        if ends <= start or begins >= end:
            continue
        if begins >= start:
            parts += [whole[at:begins], name]
        at = min(max(at, ends), end)
    return "".join([*parts, whole[at:end]])
