"""Phone numbers, as people write them."""

from __future__ import annotations

import re

import phonenumbers

from tickets.redaction.numbers import digits_of

SEP = r"[ \u00a0./-]"
PHONE = re.compile(
    rf"(?<![\w.@/-])(?<!\d )(?:\+\d{{1,3}}{SEP}?\(?\d{{1,4}}\)?(?:{SEP}?\d{{2,5}}){{1,5}}"  # +49 30 901820
    rf"|\(\d{{2,5}}\){SEP}?\d{{3,4}}{SEP}?\d{{2,5}}"  # (503) 555-0100
    r"|1?[ .-]?[2-9]\d{2}([ .-])[2-9]\d{2}\1\d{4}"  # 503-555-0100
    rf"|0\d{{1,4}}{SEP}\d{{2,8}}(?:{SEP}?\d{{2,5}}){{0,4}})"  # 020 7946 0958
    r"(?![\w]|[.,/-]\d|:\d)"
)
SPOKEN_PHONE = re.compile(
    r"(?i)(\b(?:phone|tel|telephone|telefon|mobile|cell|handy|whatsapp|fax|call me (?:at|on)|text me (?:at|on))\b"
    r"\.?(?: ?(?:number|no\.?|nr\.?))?(?: is| at| on)?[:# ]{1,3})(?=(?:\D?\d){7})\(?\d[\d ()/.-]{5,17}\d(?![\w-])"
)
DATE = re.compile(r"\d{1,2}[./ -]\d{1,2}[./ -]\d{2,4}|\d{4}[./ -]\d{1,2}[./ -]\d{1,2}")


def is_phone(text: str) -> bool:
    """Whether a number of such a shape can be a phone's: long enough, no date, and after a + of a country there is."""
    digits = digits_of(text)
    if not 8 <= len(digits) <= 15 or DATE.fullmatch(text):
        return False
    if not text.startswith("+"):
        return True
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False
