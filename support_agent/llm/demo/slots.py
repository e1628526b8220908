"""What a message names: order and other numbers, e-mail, items, colours, amounts, reasons, wishes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from support_agent.llm.demo.text import clean

ORDER = re.compile(r"(?:\bap[-\s_]{0,3}|#\s?)(\d{6})\b", re.I)
BARE_ORDER = re.compile(r"(?<![\w-])(\d{6})(?![\w-])")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
SKU = re.compile(r"\b[A-Z]{3}-[A-Z0-9]{2,4}-[A-Z0-9]{2,4}\b")
MONEY = re.compile(
    r"[$€£]\s?(\d+(?:[.,]\d+)?)|\b(\d+(?:[.,]\d+)?)\s?(?:usd|eur|dollars?|bucks|euros?)\b|\b(\d+\.\d\d)\b", re.I
)
PHONE = re.compile(r"\+?\d[\d\s().-]{7,}\d")

ITEMS = {
    "tent": "tent",
    "tents": "tent",
    "backpack": "backpack",
    "backpacks": "backpack",
    "rucksack": "backpack",
    "pack": "backpack",
    "bag": "bag",
    "sleepingbag": "bag",
    "stove": "stove",
    "stoves": "stove",
    "cooker": "stove",
    "lantern": "lantern",
    "lamp": "lantern",
    "lanterns": "lantern",
    "jacket": "jacket",
    "jackets": "jacket",
    "coat": "jacket",
    "shell": "jacket",
    "parka": "jacket",
    "boots": "boots",
    "boot": "boots",
    "shoes": "boots",
    "shoe": "boots",
    "watch": "watch",
    "trailmate": "trailmate",
    "beacon": "beacon",
    "messenger": "beacon",
    "powerbank": "power",
    "battery": "power",
    "charger": "power",
    "panel": "panel",
    "solar": "panel",
}
COLOURS = {
    "green": "green",
    "forest": "green",
    "blue": "blue",
    "slate": "blue",
    "rust": "rust",
    "orange": "rust",
    "red": "rust",
    "black": "black",
    "small": "small",
    "medium": "medium",
    "large": "large",
    "xl": "xl",
}
KINDS = (
    (
        "missing_item",
        r"missing|only (got|came|one|half)|not in the box|empty box|box was empty|without the|half of|incomplete|forgot to (pack|include|send)|short shipped|left out|not included",
    ),
    (
        "wrong_item",
        r"wrong (item|product|colour|size|thing|one|order|jacket|tent|boots)|not what i (ordered|bought)|instead of|sent me (a|the) (different|other)|but (got|received|it is|they sent|you sent)|somebody else order|different (item|colour|product)",
    ),
    (
        "damaged",
        r"damag|broke|crack|torn|ripped|tear|hole|bent|crush|leak|defect|faulty|smash|dent|shatter|scratch|doa|not work|does not turn on|in pieces|snapped|stained",
    ),
    (
        "lost",
        r"lost|never (came|arrived|got|received|showed|turned)|says? delivered|marked (as )?delivered|stolen|disappeared|vanish|did not (get|receive|arrive)|not received|nothing (is )?(here|arrived|came)|no sign",
    ),
    (
        "late",
        r"late|overdue|delay|should have (been|arrived|come)|supposed to|taking (forever|so long|too long|ages)|still (has )?not|days ago|passed",
    ),
)
WISHES = (
    (
        "replacement",
        r"replac|new one|another one|send (me )?(a|it|the) (new|again|right|correct)|resend|exchange|missing part|send (me )?(it|the)",
    ),
    ("refund", r"refund|money back|my money|reimburs|pay me back"),
    ("wait", r"\bwait\b|no rush|be patient|can wait|keep waiting"),
)
FIELDS = (
    ("email", r"e-mail address|my e-mail|new e-mail|login e-mail"),
    ("phone", r"phone|mobile|cell|telephone"),
    (
        "marketing_opt_in",
        r"newsletter|marketing|promo|advert|mailing list|offers|unsubscribe|spam|opt out|opt in|subscribe",
    ),
    ("name", r"\bname\b|married|surname|spelled|maiden"),
    ("shipping_address", r"address|moved|moving|move|relocat|ship to|deliver to|street|apartment|zip|postcode"),
)
ORDINALS = {
    "first": 0,
    "latest": 0,
    "newest": 0,
    "recent": 0,
    "last": 0,
    "second": 1,
    "third": 2,
    "fourth": 3,
    "oldest": -1,
}


@dataclass(frozen=True, slots=True)
class Slots:
    """Empty values mean not named; amounts are strings like "12.50"."""

    orders: tuple[str, ...] = ()
    email: str = ""
    skus: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    money: str = ""
    kind: str = ""
    wish: str = ""
    field: str = ""
    ordinal: int | None = None
    everything: bool = False
    other: bool = False  # 'the other one'
    reason: str = ""
    value: str = ""

    def over(self, older: Slots) -> Slots:
        """These slots, with what they leave open taken from older ones."""
        kept = {
            field.name: getattr(older, field.name)
            for field in fields(self)
            if getattr(self, field.name) in ("", (), None, False) and field.name not in ("other", "ordinal")
        }
        return replace(self, **kept)


def extract(text: str, words: Sequence[str]) -> Slots:
    """Slots of one message; `words` are its normalised tokens."""
    plain, joined = clean(text), " ".join(words)
    money = MONEY.search(plain)
    return Slots(
        orders=order_numbers(plain),
        email=(EMAIL.findall(plain) or [""])[0].rstrip("."),
        skus=tuple(dict.fromkeys(SKU.findall(plain.upper()))),
        items=tuple(dict.fromkeys(ITEMS[word] for word in words if word in ITEMS)),
        colours=tuple(dict.fromkeys(COLOURS[word] for word in words if word in COLOURS)),
        money=_amount(next(part for part in money.groups() if part)) if money else "",
        kind=_first(KINDS, joined),
        wish=_first(WISHES, joined),
        field=_first(FIELDS, joined),
        ordinal=next((ORDINALS[word] for word in words if word in ORDINALS), None),
        everything=bool(re.search(r"\b(all|everything|both|whole|entire|complete|full)\b", joined)),
        other=bool(re.search(r"\bother\b", joined)),
        reason=_reason(plain),
        value=_value(plain),
    )


def order_numbers(text: str) -> tuple[str, ...]:
    """Order numbers in their full form, in the order named; a bare six-digit number counts when nothing else claims it."""
    named = ORDER.findall(text)
    rest = re.sub(r"\b(?:INV|R|ALD|T)[-\s]?\d{5,10}\b", " ", text, flags=re.I)
    return tuple(dict.fromkeys(f"AP-{digits}" for digits in [*named, *BARE_ORDER.findall(rest)]))


def _first(table: Sequence[tuple[str, str]], joined: str) -> str:
    return next((name for name, pattern in table if re.search(pattern, joined)), "")


def _amount(raw: str) -> str:
    return f"{float(raw.replace(',', '.')):.2f}"


def _reason(plain: str) -> str:
    """The customer's own words for why, when the message gives them."""
    found = re.search(
        r"(?:because|cause|cuz|since|as|due to|reason(?: is|:)?)\s+(.{4,160})|"
        r"((?:it|they|this|that|the \w+|i|too|wrong|does|do|did|not|changed)\b[^.!?]{0,40}?\b"
        r"(?:too (?:small|big|large|tight|heavy|late|short|long|wide|narrow|cold|warm)|"
        r"not fit|n'?t fit|don'?t like|didn'?t like|changed my mind|by mistake|by accident|accident\w*|no longer need|"
        r"don'?t need|wrong (?:size|colou?r|item|one|thing|address)|twice|cheaper|found (?:it|one)|broken?|damaged|defective|faulty|late|overcharged|"
        r"don'?t want|not want|duplicate|not as described)\b[^.!?]{0,60})",
        plain,
        re.I,
    )
    return (found.group(1) or found.group(2)).strip(" .!?,") if found else ""


def _value(plain: str) -> str:
    """A new address, phone number or name given right in the message."""
    street = re.search(r"\b\d{1,5}[a-z]? [A-Za-z][\w .'-]+(?:,[^?!\n]+)?", plain)
    if street and re.search(
        r"\b(st|street|ave|avenue|rd|road|ln|lane|dr|drive|blvd|way|court|ct|place|pl|apt|suite|[A-Z]{2} \d{5}|\d{5})\b",
        street.group(),
        re.I,
    ):
        return street.group().strip(" .,")
    phone = PHONE.search(re.sub(r"\b(?:AP|INV|R|T|ALD)[-\s]?\d{5,10}\b", " ", plain, flags=re.I))
    if phone and len(re.sub(r"\D", "", phone.group())) >= 9:
        return phone.group().strip()
    name = re.search(
        r"\bname (?:to|is(?: now)?|into|should be|=|:)\s+([A-Za-z][\w'’-]+(?: [A-Za-z][\w'’-]+){0,3})", plain, re.I
    )
    return name.group(1).strip() if name else ""
