"""Numbers with a checksum: cards, bank accounts, national ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

GAP = r"[\s\u00ad\u200b-\u200d\u2010-\u2015\u2060\ufeff.·-]{0,2}"
CARD = re.compile(rf"(?<!\w)\d(?:{GAP}\d){{12,18}}(?!\w)")
BRANDS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}|6(?:011|[2457]\d\d|0[0-9]\d)\d{9,15}|5[0678]\d{11,17}"
)
IBAN = re.compile(r"(?i)(?<!\w)[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}(?!\w)")
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip


def digits_of(text: str) -> str:
    return "".join(str(int(char)) for char in text if char.isdecimal())


def is_card(text: str) -> bool:
    """Whether the digits are a card's number: a brand's shape, and the last digit right (Luhn)."""
    digits = digits_of(text)
    if not BRANDS.fullmatch(digits):
        return False
    doubled = [int(d) if i % 2 == 0 else sum(divmod(int(d) * 2, 10)) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def hide_iban(found: str, mark: str) -> str:
    """The text with the account number in front replaced; what follows it was only swallowed by the pattern."""
    length, taken = IBAN_LENGTHS.get(found[:2].upper(), 0), 0
    for end, char in enumerate(found, 1):
        taken += char.isalnum()
        if taken == length:
            return mark + found[end:] if is_iban(found[:end]) else found
    return found


def is_iban(text: str) -> bool:
    """The remainder by 97, as ISO 13616 has it."""
    account = "".join(filter(str.isalnum, text)).upper()
    turned = account[4:] + account[:4]
    return len(account) == IBAN_LENGTHS.get(account[:2]) and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def is_steuer_id(text: str) -> bool:
    """Germany: eleven digits, one of the first ten repeated, ISO 7064 mod 11, 10."""
    digits = [int(digit) for digit in digits_of(text)]
    if len(digits) != 11 or digits[0] == 0 or sorted(Counter(digits[:10]).values())[-1] not in (2, 3):
        return False
    product = 10
    for digit in digits[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == digits[10]


def is_nir(text: str) -> bool:
    """France: thirteen digits and the key to 97; Corsica's departments have letters."""
    number = "".join(filter(str.isalnum, text)).upper()
    body, key = number[:13].replace("2A", "19").replace("2B", "18"), number[13:]
    return len(number) == 15 and body.isdecimal() and 97 - int(body) % 97 == int(key)


def is_dni(text: str) -> bool:
    """Spain: eight digits (a foreigner's begin with X, Y or Z) and the letter that goes with their remainder by 23."""
    number = "".join(filter(str.isalnum, text)).upper()
    body = number[:-1].translate(str.maketrans("XYZ", "012"))
    return body.isdecimal() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23] == number[-1]


def _is_shaped(_: str) -> bool:
    """There is no checksum: the pattern says it all."""
    return True


IDS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (  # United States: social security number
        re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])"),
        _is_shaped,
    ),
    (  # United Kingdom: national insurance number
        re.compile(r"(?i)\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d{2}){3} ?[A-D]\b"),
        _is_shaped,
    ),
    (
        re.compile(
            r"(?i)(?<!\w)[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3}(?: ?\d{2})(?!\w)"
        ),
        is_nir,
    ),
    (re.compile(r"(?<![\w.-])[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?![\w-])"), is_steuer_id),
    (re.compile(r"(?i)(?<![\w-])(?:\d{8}|[XYZ]-?\d{7})[ -]?[A-Z](?!\w)"), is_dni),
)
