"""A company's own order numbers: recognised, never invented, read as typed, told to the model as they look."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from support_agent.agent import identifiers
from support_agent.agent.claims import IDENTIFIER, claims
from support_agent.agent.evidence import Evidence
from support_agent.agent.identifiers import DEMO, Formats
from support_agent.agent.routing import fast_path
from support_agent.tools.orders import TOOLS, LookupOrder
from tests.agent.ports import asks
from tickets.masks import canonical, masks, numbers_in


@pytest.fixture(params=["FC-####-#####", "####+"])
def mask(request: pytest.FixtureRequest) -> Iterator[str]:
    """A company with such order numbers."""
    known = masks(request.param)
    find = partial(numbers_in, known)
    hint = f"{known[0].words}, for example {known[0].example}"
    identifiers.use(lambda: Formats(find, lambda _: (), partial(canonical, known), hint))
    yield request.param
    identifiers.use(lambda: DEMO)


def test_an_order_that_nobody_has_seen_is_not_backed(mask: str) -> None:
    number = masks(mask)[0].example
    other = number[:-1] + ("1" if number[-1] != "1" else "2")
    seen = Evidence()
    seen.add(f'{{"order": {{"order_number": "{number}"}}, "text": "order {number}"}}')
    told = {
        name: [claim for claim in claims(f"Your order {name} is on its way.") if claim.kind == IDENTIFIER]
        for name in (number, other)
    }
    assert [seen.backs(claim) for claim in told[number]] == [True]
    assert [seen.backs(claim) for claim in told[other]] == [False]


def test_where_is_my_order_needs_no_plan(mask: str) -> None:
    number = masks(mask)[0].example
    assert fast_path(asks(f"status of #{number}?")) == "order status"


def test_a_tool_reads_the_number_as_it_is_typed(mask: str) -> None:
    number = masks(mask)[0].example
    typed = number.lower().replace("-", " ")
    assert LookupOrder.model_validate({"order_number": f" {typed} "}).order_number == number


def test_the_model_is_told_how_a_number_looks(mask: str) -> None:
    schema = next(tool for tool in TOOLS if tool.name == "lookup_order").schema()
    described = schema["input_schema"]["properties"]["order_number"]["description"]
    assert masks(mask)[0].example in described
    assert "AP-" not in described
