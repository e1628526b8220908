"""What a customer may see of a growing answer: always a beginning of the final text, never an unchecked sentence."""

from __future__ import annotations

import random

import pytest

from support_agent.agent.evidence import evidence_of
from support_agent.agent.gate import Gate

EVIDENCE = evidence_of(["Shipping costs $4.95 and takes 3-5 business days. It ends on 3 Nov. 2026."], [])
TEXTS = [
    "Shipping costs $4.95. It takes 3-5 business days.",
    "\n\n  It takes 3-5 business days.\n\nAnything else?  \n",
    "It ends on 3 Nov. 2026. Shipping costs $4.95 [1]. See you (soon).  [2] Bye!",
    "Two things:\n\n- Shipping costs $4.95.\n- It takes **3-5 business days.** Fine.\n\n\nBye",
    "No end at all",
    "运费是 $4.95。到货需要 3-5 business days。",
    " ",
    "",
]


async def pass_through(text: str, cuts: list[int], lead: str = "") -> tuple[Gate, list[str]]:
    shown: list[str] = []

    async def show(words: str) -> None:
        shown.append(words)

    gate = Gate(EVIDENCE, show, lead=lead)
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        await gate.feed(text[start:end])
        assert (lead + text.strip()).startswith("".join(shown))
    gate.finish()
    await gate.show()
    return gate, shown


@pytest.mark.parametrize("text", TEXTS)
async def test_however_it_is_cut_what_is_shown_becomes_the_final_text(text: str) -> None:
    chance = random.Random(text)
    for lead in ("", "\n\n"):
        for _ in range(40):
            cuts = sorted(chance.randint(0, len(text)) for _ in range(chance.randint(0, 12)))
            gate, shown = await pass_through(text, cuts, lead)
            assert gate.issues == []
            assert "".join(shown) == (lead + text.strip() if text.strip() else "")


async def test_nothing_after_a_blocked_sentence_is_shown() -> None:
    text = "Shipping costs $4.95. It costs $9.99. It takes 3-5 business days."
    for cut in range(len(text)):
        gate, shown = await pass_through(text, [cut])
        assert "".join(shown) == "Shipping costs $4.95."
        assert [issue.rule for issue in gate.issues] == ["unbacked_amount"]


async def test_all_issues_of_a_text_are_found() -> None:
    gate, _ = await pass_through("It costs $9.99. It takes 9 days. Shipping costs $4.95.", [])
    assert [issue.rule for issue in gate.issues] == ["unbacked_amount", "unbacked_period"]


async def test_a_claim_is_never_judged_in_halves() -> None:
    for text in ("It ends on 3 Nov. 2025. Bye.", "It costs $4.\n95", "See No. 5. It ends on 3 Nov. 2027."):
        gate, _ = await pass_through(text, list(range(len(text))))
        assert gate.issues, text


async def test_a_sentence_appears_as_soon_as_the_next_begins() -> None:
    shown: list[str] = []

    async def show(words: str) -> None:
        shown.append(words)

    gate = Gate(EVIDENCE, show)
    await gate.feed("Shipping costs $4.95. ")
    assert shown == []
    await gate.feed("It")
    assert shown == ["Shipping costs $4.95."]
