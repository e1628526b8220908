"""What counts as a claim, and what backs it."""

from __future__ import annotations

import json

import pytest

from support_agent.agent.claims import claims
from support_agent.agent.evidence import evidence_of, unbacked

ORDER = json.dumps(
    {
        "status": "success",
        "order": {
            "order_number": "AP-104233",
            "total": "1049.00",
            "fee": 4.9,
            "currency": "USD",
            "delivered_at": "2026-11-18T09:00:00Z",
            "lines": [{"sku": "TNT-2P-GRN", "quantity": 3, "unit_price": "349.00"}],
            "shipments": [{"tracking_number": "ALD1000000233", "phone": "+15035550100"}],
        },
    }
)
ARTICLE = json.dumps(
    {
        "status": "success",
        "results": [
            {
                "n": 1,
                "url": "/help/return-an-item/",
                "snippet": "Return it within 30 days; money is back 5-7 business days later. Orders over 50 ship free, "
                "else 4.95. Plus saves 10 %. The holiday window ends on 31 January. Write to help@shop.example. "
                "Hold both buttons for 12 s. The warranty is two years.",
                "score": 0.81,
            }
        ],
        "expires_in_minutes": 30,
    }
)


def holds(sentence: str, *facts: str, customer: str = "") -> bool:
    found = evidence_of(facts or (ORDER, ARTICLE), [customer])
    return bool(claims(sentence)) and not unbacked(sentence, found)


@pytest.mark.parametrize(
    "sentence",
    [
        "It was delivered on 18 November 2026.",
        "It was delivered on November 18th, 2026.",
        "It was delivered on Nov 18.",
        "It was delivered on Wed, Nov 18.",
        "It was delivered on Wednesday the 18th of November 2026.",
        "It was delivered on the 18th of November.",
        "It was delivered on Wednesday, 18 Nov. 2026.",
        "It was delivered on 2026-11-18.",
        "It was delivered at 2026-11-18T09:00:00Z.",
        "It was delivered on 11/18/2026 or 18.11.2026.",
        "It was delivered in November 2026.",
        "The total is $1,049.00.",
        "The total is USD 1049.",
        "The total is 1,049 US dollars.",
        "The total is 1.049,00 USD.",
        "The total is 1049.00.",
        "The label costs $4.90 and each tent 349.00 USD.",
        "Shipping is $4.95, free from $50.",
        "You save 10% or 10 percent.",
        "You have 30 days, a 30-day window.",
        "Your money is back in 5-7 business days.",
        "Your money is back in 5 to 7 days.",
        "It can take up to seven business days.",
        "The warranty lasts 24 months, or 2 years.",
        "Hold both buttons for 12 seconds.",
        "The card waits for 30 minutes.",
        "You have until January 31.",
        "See https://shop.example/ or /help/return-an-item/.",
        "Order AP-104233 (ap-104233) with TNT-2P-GRN is parcel ALD1000000233.",
        "Write to help@shop.example or call (503) 555-0100.",
    ],
)
def test_a_fact_is_backed_in_any_spelling(sentence: str) -> None:
    shop = json.dumps({"url": "https://shop.example"})
    assert holds(sentence, ORDER, ARTICLE, shop), sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "It was delivered on 19 November 2026.",
        "It was delivered on 18 November 2025.",
        "It was delivered on Nov 19.",
        "It was delivered on Friday, 18 November.",
        "It was delivered on Friday, November 18, 2026.",
        "It was delivered on 12/18/2026.",
        "It was delivered in December 2026.",
        "The total is $1,094.00.",
        "The total is 1049.50.",
        "The total is €1,049.00.",
        "The label costs 4.90 EUR.",
        "You get 3 dollars back.",
        "You get $0.81 back.",
        "You save 15%.",
        "You have 31 days.",
        "You have 30 weeks.",
        "Your money is back in 3-7 business days.",
        "It takes 5 hours.",
        "The warranty lasts 3 years.",
        "You have until January 31, 2027.",
        "See /help/return-fees/.",
        "See www.evil.example.",
        "See evil.com/login.",
        "It is order AP-104234.",
        "It is parcel ALD1000000234.",
        "It is a TNT-2P-BLU.",
        "Write to refunds@shop.example.",
        "Call 1-800-555-0199.",
    ],
)
def test_what_no_record_states_is_found(sentence: str) -> None:
    assert not holds(sentence), sentence


def test_a_customer_backs_identifiers_and_nothing_else() -> None:
    said = "I am mia@example.com, order 104999 cost me $77.00 on 3 May 2026, it is INV-200100"
    assert holds("I found nothing for AP-104999, INV-200100 or mia@example.com.", "{}", customer=said)
    assert not holds("You paid $77.00.", "{}", customer=said)
    assert not holds("You bought it on 3 May 2026.", "{}", customer=said)


def test_each_amount_has_its_own_currency() -> None:
    billing = json.dumps({"billing": [{"amount": "20.00", "currency": "USD"}, {"amount": "30.00", "currency": "EUR"}]})
    assert holds("You paid $20.00 and €30.00.", billing)
    assert not holds("You paid €20.00.", billing)
    assert not holds("You paid 30 USD.", billing)


def test_a_bare_amount_takes_any_currency_until_a_record_has_one() -> None:
    assert holds("It costs €4.95.", "It costs 4.95.", "Elsewhere it is CAD 6.50.")
    assert not holds("It costs €4.95.", "It costs 4.95.", '{"total": "10.00", "currency": "USD"}')


@pytest.mark.parametrize("said", ["We are here 24/7.", "It needs iOS 17.2.", "You may 30 more.", "Press 2 buttons."])
def test_not_every_number_is_a_claim(said: str) -> None:
    assert claims(said) == []


def test_broken_json_is_read_as_prose() -> None:
    assert holds("It costs $4.95.", '{"status": "success", "fee": "4.95')
