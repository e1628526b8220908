"""A small help centre in two languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from tickets.models import Article, ArticleTranslation
from tickets.services.articles import article_save
from tickets.services.translations import translation_save

Translate = Callable[..., ArticleTranslation]


@pytest.fixture
def shelf(db: None, settings: Settings) -> dict[str, Article]:
    """Eight English articles by slug, found by words alone unless a test asks for a model."""
    settings.EMBEDDER = "none"
    texts = {
        "returns": ("Return an item", "Send unused things back within 30 days of delivery."),
        "tracking": ("Track your order", "See where the parcel is now, with the tracking number."),
        "refunds": ("When will I get my refund?", "The money is back 5-7 business days after the parcel is here."),
        "delivery": ("Delivery times", "Standard delivery takes 3-5 business days, express 1-2."),
        "warranty": ("Warranty", "Tents have a warranty of 2 years."),
        "watch": ("Pair the Trailmate", "Hold the button until Bluetooth blinks."),
        "gift-cards": ("Gift cards", "Gift cards never expire."),
        "fuel": ("Stove fuel", "Fuel canisters travel by ground transport only."),
    }
    return {
        slug: article_save(
            slug=slug, title=title, body=body, category="product", status="published", keywords=[f"KB-{slug.upper()}"]
        )
        for slug, (title, body) in texts.items()
    }


@pytest.fixture
def translate(shelf: dict[str, Article]) -> Translate:
    """`translate(slug, language, title, body, **fields)`: published."""

    def write(slug: str, language: str, title: str, body: str, **fields: object) -> ArticleTranslation:
        return translation_save(
            article=shelf[slug],
            language=language,
            title=title,
            body=body,
            **{"status": "published", **fields},  # type: ignore[arg-type]
        )

    return write


@pytest.fixture
def german(translate: Translate) -> None:
    translate("returns", "de", "Artikel zurücksenden", "Ungenutzte Artikel nehmen wir 30 Tage lang zurück.")
    translate("tracking", "de", "Bestellung verfolgen", "Mit der Sendungsnummer sehen Sie, wo Ihr Paket gerade ist.")
    translate("refunds", "de", "Wann kommt mein Geld?", "Die Erstattung dauert 5–7 Werktage nach Eingang des Pakets.")
    translate(
        "delivery",
        "de",
        "Lieferzeiten",
        "Die Zustellung dauert 3–5 Werktage, Express 1–2. Größere Straßen gehen schneller.",
    )
