"""Articles to look at, without the model: search by words alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings

from tickets.models import Article
from tickets.services.articles import article_save

LONG = "Intro.\n\n" + "\n\n".join(f"## Step {name}\n\nDo the {name} thing." for name in ("one", "two", "three", "four"))


@pytest.fixture
def write(db: None, settings: Settings) -> Callable[..., Article]:
    settings.EMBEDDER = "none"

    def write(slug: str, title: str, body: str = LONG, **fields: object) -> Article:
        defaults: dict[str, object] = {"category": "product", "status": "published", "summary": f"All about {slug}."}
        return article_save(slug=slug, title=title, body=body, **{**defaults, **fields})  # type: ignore[arg-type]

    return write
