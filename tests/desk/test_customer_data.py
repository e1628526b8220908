"""Customers change one detail at a time; what cannot be kept is refused in words."""

from __future__ import annotations

import pytest

from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets.errors import Conflict
from tickets.services.actions import action_undo
from tickets.services.customers import InvalidValue, Value, customer_clean


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("phone", "(503) 228-0612", "+1 503-228-0612"),
        ("phone", "+49 30 901820", "+49 30 901820"),
        ("name", "  Zoë   O'Neill-Müller ", "Zoë O'Neill-Müller"),
        ("shipping_address", " 1 Main St \n\n  Portland, OR 97205 ", "1 Main St\nPortland, OR 97205"),
        ("marketing_opt_in", "Yes", True),
        ("marketing_opt_in", "off", False),
        ("marketing_opt_in", False, False),
    ],
)
def test_values_are_kept_tidily(field: str, value: Value, kept: Value) -> None:
    assert customer_clean(field, value) == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "12"),
        ("phone", "call me"),
        ("phone", "+1 000 000 0000"),
        ("name", "x"),
        ("name", "42"),
        ("name", "x" * 121),
        ("name", "<script>alert(1)</script>"),
        ("name", "Ann\u202eevil"),
        ("shipping_address", "home"),
        ("shipping_address", "1 Main St, see https://evil.example"),
        ("shipping_address", "9" * 301),
        ("marketing_opt_in", "maybe"),
        ("email", "new@example.com"),
        ("plan", "enterprise"),
    ],
)
def test_values_that_cannot_be_kept_are_refused(field: str, value: Value) -> None:
    with pytest.raises(InvalidValue):
        customer_clean(field, value)


def test_a_number_without_country_is_read_where_the_customer_is() -> None:
    assert customer_clean("phone", "030 901820", locale="de-DE") == "+49 30 901820"


def test_an_update_is_undone_to_the_old_value(talk: Talk, cast: Cast) -> None:
    before = cast.owner.shipping_address
    action = talk.do("update_customer", field="shipping_address", value="1 Main St\nPortland, OR 97205")
    cast.owner.refresh_from_db()
    assert cast.owner.shipping_address == "1 Main St\nPortland, OR 97205"
    assert action_undo(conversation=talk.conversation, action_id=action.pk).state == "undone"
    cast.owner.refresh_from_db()
    assert cast.owner.shipping_address == before


def test_an_undo_does_not_overwrite_a_later_change(talk: Talk, cast: Cast) -> None:
    first = talk.do("update_customer", field="marketing_opt_in", value=True)
    talk.do("update_customer", field="marketing_opt_in", value=False)
    with pytest.raises(Conflict):
        action_undo(conversation=talk.conversation, action_id=first.pk)


def test_nothing_to_change_and_nothing_else_to_change(talk: Talk, cast: Cast) -> None:
    same = talk.do("update_customer", field="name", value=cast.owner.name)
    assert (same.state, same.receipt["reason"]) == ("failed", "unchanged")
    other = talk.do("update_customer", field="plan", value="enterprise")
    assert (other.state, other.receipt["reason"]) == ("failed", "invalid_value")
    cast.owner.refresh_from_db()
    assert cast.owner.plan == "free"
