"""Masks: how a company's order numbers look, as people write them and as records have them."""

from __future__ import annotations

import pytest

from tickets.masks import canonical, masks, numbers_in


@pytest.mark.parametrize(
    ("mask", "written", "number"),
    [
        ("AP-######", " #ap 104233", "AP-104233"),
        ("AP-######", "104233", "AP-104233"),
        ("FC-####-#####", "fc 2026 01234", "FC-2026-01234"),
        ("FC-####-#####", "FC-2026-0123", "FC-2026-0123"),  # no such number: as it was written, and not found
        ("####+", "# 1001", "1001"),
        ("@@-####", "kr1042", "KR-1042"),
        ("AP-######, S-####", "s 1042", "S-1042"),
    ],
)
def test_a_number_is_read_however_it_is_typed(mask: str, written: str, number: str) -> None:
    assert canonical(masks(mask), written) == number


def test_numbers_are_found_in_a_text_whole_and_nowhere_else() -> None:
    text = "FC-2026-01234 and fc-2026-01235, not FC-2026-012345 or XFC-2026-01236"
    assert list(numbers_in(masks("FC-####-#####"), text)) == ["FC-2026-01234", "fc-2026-01235"]


def test_a_number_of_digits_alone_counts_only_where_it_is_called_one() -> None:
    text = "In 2026 I paid 1500 for order 1001, order no. 1002 and #1003; Bestellung 1004"
    assert list(numbers_in(masks("####+"), text)) == ["1001", "1002", "1003", "1004"]


def test_a_mask_tells_a_model_how_it_looks() -> None:
    (mask,) = masks("FC-####-#####")
    assert mask.words == "FC-, four digits, - and five digits"
    assert canonical((mask,), mask.example) == mask.example


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("AP-##", "“AP-##” has fewer than three digits (#): any word could be such a number."),
        ("A(####)", "“A(####)” has a “(”: a format is made of #, @, +, letters, digits and . / _ -"),
        ("####" * 11, "“####################…” is too long: a format has at most 40 characters."),
        (", ".join(f"A{n}-###" for n in range(9)), "At most 8 formats can be named."),
    ],
)
def test_what_is_no_mask_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        masks(text)
    assert str(refused.value) == sentence
