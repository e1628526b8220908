"""Who may read an article, and be answered from it: decided here, kept to by search and by the reads of articles."""

from __future__ import annotations

from tickets.models import Article, Customer, Plan

Readers = frozenset[str]
"""The audiences somebody belongs to; an article is theirs when its own audience is among them."""

_A = Article.Audience
EVERYONE: Readers = frozenset({_A.EVERYONE.value})
STAFF: Readers = frozenset(_A.values)
_OF_PLAN = {
    Plan.PLUS.value: {_A.PLUS.value, _A.PAYING.value},
    Plan.ENTERPRISE.value: {_A.ENTERPRISE.value, _A.PAYING.value},
}


def readers_of(customer: Customer | None) -> Readers:
    """A verified customer as their record says now; without one, or once the account is closed, a stranger."""
    if customer is None or customer.status == Customer.Status.CLOSED:
        return EVERYONE
    return EVERYONE | {_A.SIGNED_IN.value} | _OF_PLAN.get(customer.plan, set())
