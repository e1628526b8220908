"""A small help centre, past turns that the demo model really took, and what a change would do to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from support_agent.models import BlastRadius, Replay, Turn
from support_agent.runtime.blast import blast_create, run_blast
from support_agent.runtime.controls import forget
from support_agent.runtime.runner import Runner
from tests.cast import Cast, make_cast
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.scripted import DemoModel
from tests.runtime.conftest import begin, client_of, ended, post
from tickets.db import in_db
from tickets.models import Article, Conversation, Customer, Message
from tickets.services.article_drafts import draft_of
from tickets.services.articles import article_save, articles_embed

ARTICLES = {
    "return-an-item": (
        "Return an item",
        "billing",
        "## How long you have\n\nYou can return an unused item within 30 days of delivery.\n\n"
        "## How to send it back\n\nStart the return in your account and drop the parcel at any Cascade Post counter.",
    ),
    "gift-cards": (
        "Gift cards",
        "billing",
        "## Validity\n\nA gift card is valid for 24 months from the day it was bought.",
    ),
    "wash-a-jacket": (
        "Wash a rain jacket",
        "product",
        "## Washing\n\nWash a rain jacket at 30 degrees with a liquid detergent, and dry it on a low heat.",
    ),
}
RETURNS = "How long do I have to return an unused item?"
SENDING = "Where do I drop the parcel of a return?"
CARDS = "How long is a gift card valid?"
WASHING = "How do I wash a rain jacket?"


@dataclass
class Desk:
    """`ask` lets the demo model answer somebody; `under` runs a radius over what was asked."""

    cast: Cast
    runner: Runner
    running: asyncio.Task[None]

    async def ask(self, text: str, customer: Customer | None = None, talk: Conversation | None = None) -> Turn:
        if talk is None:
            talk = await in_db(begin, customer)
        submitted = await in_db(post, talk, text)
        assert submitted.turn is not None
        return await ended(submitted.turn)

    async def closes(self) -> None:
        """Nobody answers any more."""
        self.runner.stop()
        await self.running

    async def under(self, model: Any = None, **change: Any) -> BlastRadius:
        made = await in_db(blast_create, **change)
        return await run_blast(made.pk, model)


def drafted(slug: str, old: str = "", new: str = "", **fields: str) -> dict[str, Any]:
    """The arguments of a radius: an article with some words replaced, not saved."""
    article = Article.objects.get(slug=slug)
    draft = {**draft_of(article), **fields}
    assert old in draft["body"]
    return {"article": article, "draft": {**draft, "body": draft["body"].replace(old, new)}}


def verdicts(radius: BlastRadius) -> dict[str, str]:
    """By what the customer had asked."""
    found = Replay.objects.filter(radius=radius, is_baseline=False)
    return {asked_of(one): one.verdict for one in found}


def asked_of(replay: Replay) -> str:
    return Message.objects.get(turn_id=replay.turn_id, role="customer").text


def shelve() -> None:
    for slug, (title, category, body) in ARTICLES.items():
        article_save(slug=slug, title=title, category=category, body=body, status="published", embed=False)
    for _ in articles_embed():
        pass


@pytest.fixture(autouse=True)
def _controls_of_this_test() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
async def desk(transactional_db: None) -> AsyncIterator[Desk]:
    cast = await in_db(make_cast)
    await in_db(shelve)
    runner = Runner(model=client_of(FakeMessagesAPI(DemoModel())))
    running = asyncio.create_task(runner.run())
    found = Desk(cast, runner, running)
    yield found
    await found.closes()
