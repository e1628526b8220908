"""Which times in a sentence are those by which we do something for this customer.

"We will refund you within 5 days" names one; "I'll send you a code that works for 10 minutes" and "we will take this
back within 30 days of delivery" name none. Only a day in the verb's own clause counts, or a date or period there after
"by", "within" and the like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from support_agent.agent.claims import DATE, PERIOD, PROMISE, Claim, claims

_WE = re.compile(
    r"\b(?:I|we|our team|(?:a|my|our) colleagues?|a person|someone(?: from our team| here)?|the team)"
    r"(?:['’]ll\b|\s+(?:will|shall)\b|(?:['’]m|['’]re| am| are| is) going to\b)(?!\s+(?:not|never)\b)",
    re.IGNORECASE,
)
_FOR_YOU = re.compile(
    r"\b(?:you|your|yours|back|here|it|this|that|(?:refund|replacement|label|invoice|parcel|order)s?)\b", re.IGNORECASE
)
# What we shall be or allow, rather than do.
_NO_DEED = re.compile(
    r"\s+(?:(?:always|gladly|happily)\s+)?(?:be\s+(?:glad|happy|pleased|delighted|able|here|available|open)\b"
    r"|(?:hold|accept|keep(?!\s+you))\b|take\b[\w\s]*\bback\b)",
    re.IGNORECASE,
)
# Where the deed's own clause ends: a mark, a relative clause, or one with a subject of its own.
_THAT_THING = r"(?:for|to|by|in|within|on|before|back|up|out|today|tomorrow|tonight|this|next|and|too|one)\b|\W*$"
_CUT = re.compile(
    r"[;—]|:(?!\d)|(?<!\d)\s[-–]+\s|\b(?:which|who|where|whose|valid|works?|placed|arriv(?:es?|ed|ing)|expires?|lasts?)\b"
    rf"|\bthat\b(?!\s+(?:{_THAT_THING}|(?:refund|replacement|label|invoice|parcel|order|e-?mail)s?\b))"
    r"|\byou(?:['’]ve|\s+have)?\s+(?:placed|ordered|bought|paid|made|sent|received|got|returned|asked|wrote)\b"
    r"|(?:[,;–—]|\b(?:and|but|so|while)\b)\s*(?:(?:and|but|so|while)\s+)?(?:it|they|(?:the|your|this|that|its)(?:\s+\w+){1,3}?)"
    r"(?:['’]ll\b|['’]s\b|\s+(?:will|is|are|was|were|has|have|should|can|must|comes?|takes?)\b)",
    re.IGNORECASE,
)
# "By Monday, I'll …": a time that stands before the deed and is all of its part.
_LEAD = re.compile(
    r"(?:^|[,;:–—])\s*((?:by|within|in|on|before)\s[\w\s.-]{1,30}|(?:tomorrow|today|tonight|this|next)(?:\s\w+)?),?\s*$",
    re.IGNORECASE,
)
_MORE_OR_LESS = (
    r"(?:\s+(?:the|a|next|coming|following|about|around|approximately|roughly|at\s+most|up\s+to|less\s+than|under"
    r"|just|only|another|maximum\s+of))*\s*$"
)
_BY_DATE = re.compile(rf"\b(?:by|within|in\s+the\s+next|before|on){_MORE_OR_LESS}", re.IGNORECASE)
_IN_PERIOD = re.compile(rf"\b(?:within|in){_MORE_OR_LESS}", re.IGNORECASE)
_COUNTED_FROM = re.compile(r"\s*(?:of|from|since|following)\b(?!\s+(?:now|today)\b)", re.IGNORECASE)
_OTHER_USE = re.compile(
    r"\b(?:today|tomorrow|tonight)['’]s\b|\b(?:from|as\s+of|since|for|than)\s+(?:today|tomorrow|tonight)\b",
    re.IGNORECASE,
)
_HANGS_ON = re.compile(
    r"\b(?:if|unless|once|when(?:ever)?|after|as soon as|until|in case|usually|normally|typically)\b", re.IGNORECASE
)


def deeds(sentence: str) -> Iterator[str]:
    """What we say that we do for this customer: each such verb's own clause, with a time that leads it."""
    if sentence.endswith("?") or _HANGS_ON.search(sentence):
        return
    said = list(_WE.finditer(sentence))
    for match, after in zip_longest(said, said[1:]):
        rest = sentence[match.end() : after.start() if after else None]
        cut = _CUT.search(rest)
        clause = rest[: cut.start()] if cut else rest
        if _FOR_YOU.search(clause) and not _NO_DEED.match(clause):
            lead = _LEAD.search(sentence, 0, match.start())
            yield (lead[1] + ", " if lead else "") + match[0] + clause


def governed(deed: str) -> Iterator[Claim]:
    """The times by which the deed is done, rather than those of a thing in it."""
    deed = _OTHER_USE.sub("", deed)
    for claim in claims(deed):
        if claim.kind == PROMISE or any(
            _governs(claim.kind, deed[: place.start()], deed[place.end() :])
            for place in re.finditer(re.escape(claim.text), deed)
        ):
            yield claim


def _governs(kind: str, before: str, after: str) -> bool:
    if kind == PERIOD:
        return bool(_IN_PERIOD.search(before)) and not _COUNTED_FROM.match(after)
    return kind == DATE and bool(_BY_DATE.search(before))
