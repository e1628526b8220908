"""What is found in texts, and what must stay as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tickets.redaction import redact_json, without_personal, without_secrets

DEMO = Path(__file__).resolve().parents[2] / "tickets" / "demo"
CARDS = (
    "4111 1111 1111 1111", "4242-4242-4242-4242", "4242.4242.4242.4242", "4222222222222", "5555555555554444",
    "2223003122003222", "378282246310005", "3782 822463 10005", "30569309025904", "6011111111111117",
    "3530111333300000", "6200000000000005", "4242\u200b4242\u200b42424242", "４２４２４２４２４２４２４２４２",
    "4242 4242\n4242 4242", "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
)  # fmt: skip
SECRETS = (
    "sk-ant-api03-abcdefghijkl-0123456789", "sk_live_abcdefgh12345678", "AKIAIOSFODNN7EXAMPLE",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "github_pat_11ABCDEFG0abcdefghijkl", "xoxb-123456789012-abcdefgh",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.abc_def-123",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----",
)  # fmt: skip
SAID = {
    "My password is Tr0ub4dor&3, ok?": "My password is [redacted], ok?",
    "password: hunter2": "password: [redacted]",
    "pwd=swordfish for me": "pwd=[redacted] for me",
    "Passwort: geheim!": "Passwort: [redacted]!",
    "Authorization: Bearer abcdefgh12345": "Authorization: Bearer [redacted]",
    "api key = 0123456789abcdef": "api key = [redacted]",
    "it says CVC 123 there": "it says CVC [redacted] there",
    "postgres://shop:hidden@db/shop": "postgres://shop:[redacted]@db/shop",
}
PERSONAL = {
    "jane.o'neil+shop@mail.example.co.uk": "[email]",
    "DE89 3704 0044 0532 0130 00": "[iban]",
    "gb82west12345698765432": "[iban]",
    "FR14 2004 1010 0505 0001 3M02 606": "[iban]",
    "078-05-1120": "[id]",
    "AB 12 34 56 C": "[id]",
    "86 095 742 719": "[id]",
    "2 55 08 14 168 025 38": "[id]",
    "12345678Z": "[id]",
    "X1234567L": "[id]",
    "+49 30 901820": "[phone]",
    "+15035550100": "[phone]",
    "(503) 555-0100": "[phone]",
    "503-555-0100": "[phone]",
    "020 7946 0958": "[phone]",
    "0171 2345678": "[phone]",
    "06 12 34 56 78": "[phone]",
}
STAYS = (
    "order AP-104233, parcel ALD1234567890123, ticket T-41200, return R-500001, invoice INV-300001",
    "my parcel 1Z999AA10123456784 and order 4111111111111112",  # nearly a card: the last digit is wrong
    "K7F-42P", "0199a0b0-0000-7000-8000-000000000001", "TNT-2P-GRN, LAN-01-BLK", "from 2026-11-21 16:30 to 08.10.2026",
    "180.00 USD, 1,290.00 EUR, 250.00 300.00 400.00", "the password is wrong", "Forgot password: please help",
    "version 10.4.2, 127.0.0.1:8000", "5-7 business days, 30-45 cm, 2026-2027", "error E-1042 at 1763742685.123456",
    "DE12 3456 7890 1234 5678 90", "12345678A", "12 345 678 901", "my token of thanks, a key: none",
)  # fmt: skip


@pytest.mark.parametrize("card", CARDS)
def test_cards_in_every_spelling(card: str) -> None:
    assert without_secrets(f"Pay with {card}, please") == "Pay with [card], please"


@pytest.mark.parametrize("secret", SECRETS)
def test_keys(secret: str) -> None:
    assert without_secrets(f"It is {secret} and so on") == "It is [redacted] and so on"


@pytest.mark.parametrize(("said", "kept"), SAID.items())
def test_what_opens_something(said: str, kept: str) -> None:
    assert without_secrets(said) == kept
    assert without_secrets(kept) == kept


@pytest.mark.parametrize(("said", "mark"), PERSONAL.items())
def test_what_finds_or_names_a_person(said: str, mark: str) -> None:
    assert without_personal(f"Use {said}, please") == f"Use {mark}, please"
    assert without_secrets(f"Use {said}, please") == f"Use {said}, please"


@pytest.mark.parametrize("text", STAYS)
def test_what_stays(text: str) -> None:
    assert without_personal(text) == text


def test_nothing_in_the_help_centre_is_taken_for_somebody_s() -> None:
    for path in DEMO.glob("articles/*.md"):
        for line in path.read_text().splitlines():
            if "@" not in line and "+1 503 555 0142" not in line:  # an address of the shop's, an example
                assert without_personal(line) == line, path.name


def test_our_own_numbers_are_what_they_are() -> None:
    said = {"tracking_number": "4111111111111111", "note": "4111111111111111", "lines": ["a@b.example", 3, None]}
    assert redact_json(said) == {"tracking_number": "4111111111111111", "note": "[card]", "lines": ["[email]", 3, None]}


@pytest.mark.parametrize("part", ["a", "1", "a@", "eyJ", "1 ", "+1", "x://", "password is "])
def test_no_text_takes_long(part: str) -> None:
    """Linear in its length: it would take minutes otherwise, and the suite's own limit ends it."""
    without_personal(part * (100_000 // len(part)))
