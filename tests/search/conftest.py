"""A small help centre, found by words alone unless a test asks for the model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from tickets.models import Article
from tickets.services.articles import article_save

Write = Callable[..., Article]


@pytest.fixture
def write(db: None, settings: Settings) -> Write:
    """Save a published article: `write(title, body, **fields)`."""
    settings.EMBEDDER = "none"

    def write(title: str, body: str, **fields: object) -> Article:
        defaults: dict[str, object] = {
            "slug": title.lower().replace(" ", "-"),
            "category": Article.Category.PRODUCT,
            "status": Article.Status.PUBLISHED,
        }
        return article_save(title=title, body=body, **{**defaults, **fields})  # type: ignore[arg-type]

    return write


@pytest.fixture
def shelf(write: Write) -> None:
    """A dozen articles on different matters, so that words have weights."""
    write("Return an item", "Send unused things back within 30 days.\n\n## The label\n\nThe label comes by e-mail.")
    write("Track your parcel", "See where the parcel is now and when it will arrive: with the tracking number.")
    write("Warranty", "Tents have a warranty of 2 years, boots of one year.", keywords=["TNT-2P-GRN", "BTS-"])
    write("Reset your password", "Press forgot password and follow the link.", category="account")
    twice = "You were charged twice for one order? The second payment on the card is a reservation and disappears."
    write("Charged twice", twice, category="billing")
    write("Pair the Trailmate", "Hold the button until Bluetooth blinks.", category="technical", keywords=["Trailmate"])
    write("Gift cards", "Gift cards never expire and work for every order.", category="billing")
    write("Café crème mugs", "Enamel mugs are dishwasher safe.", slug="cafe-creme-mugs")
    write("Stove fuel", "Fuel canisters travel by ground transport only.")
    write("Sleeping bags", "Wash a down sleeping bag by hand with mild soap.")
    write("Solar panels", "Point the panel to the sun; clouds halve the power.")
    write("Delivery times", "How many days your order travels: standard delivery takes 3-5 business days, express 1-2.")
