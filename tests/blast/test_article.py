"""A draft of an article, before it is saved: which past answers would be others, and that no reader ever sees it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from support_agent.models import Replay, RunState
from tests.blast.conftest import CARDS, RETURNS, SENDING, WASHING, Desk, drafted, verdicts
from tests.replay import conftest as replaying
from tickets.audience import EVERYONE
from tickets.db import in_db
from tickets.models import Article, ArticleSection, SearchIndex
from tickets.search import search
from tickets.services.article_drafts import as_if_saved, draft_of
from tickets.services.articles import article_save

pytestmark = pytest.mark.timeout(120)
MAY_CHANGE = {"support_agent_blastradius", "tickets_job"}
PEGS = "Do you have pegs for sandy ground?"


def counted() -> dict[str, str]:
    return {table: rows for table, rows in replaying.counted().items() if table not in MAY_CHANGE}


def otherwise(found: dict[str, str]) -> set[str]:
    return {asked for asked, verdict in found.items() if verdict == "otherwise"}


async def test_a_changed_fact_is_otherwise_for_those_who_were_told_it(desk: Desk) -> None:
    for text in (RETURNS, SENDING, CARDS, WASHING):
        await desk.ask(text)
    before = await in_db(counted)
    radius = await desk.under(**await in_db(drafted, "return-an-item", "within 30 days", "within 14 days"))
    assert await in_db(counted) == before  # the help centre, its index and its vectors too
    assert (radius.state, radius.error, radius.touched) == (RunState.DONE, "", 2)
    found = await in_db(verdicts, radius)
    assert found == {RETURNS: "otherwise", CARDS: "same"}  # the cards' search had found the section, too
    told = await in_db(lambda: Replay.objects.get(radius=radius, verdict="otherwise"))
    assert "within 14 days" in told.text
    baseline = await in_db(lambda: Replay.objects.get(radius=radius, is_baseline=True))
    assert "within 30 days" in baseline.text

    typo = await desk.under(**await in_db(drafted, "return-an-item", "an unused item", "an unsued item"))
    assert set((await in_db(verdicts, typo)).values()) == {"same"}
    assert not await in_db(Replay.objects.filter(radius=typo, is_baseline=True).exists)

    added = "of delivery.\n\n## Sale items\n\nSale items can be swapped, not returned.\n\n"
    more = await desk.under(**await in_db(drafted, "return-an-item", "of delivery.\n\n", added))
    assert not otherwise(await in_db(verdicts, more))


async def test_an_article_taken_out_and_one_put_in(desk: Desk) -> None:
    for text in (RETURNS, WASHING, PEGS):
        await desk.ask(text)
    gone = await desk.under(**await in_db(drafted, "wash-a-jacket", status="draft"))
    assert otherwise(await in_db(verdicts, gone)) == {WASHING}
    body = "## Sand\n\nYes: sand pegs for sandy ground are 40 cm long and cost 12.00 USD a pair."
    draft = {"slug": "sand-pegs", "title": "Pegs for sandy ground", "category": "product", "body": body,
             "status": "published"}  # fmt: skip
    new = await desk.under(draft=draft)
    assert (await in_db(verdicts, new))[PEGS] == "otherwise"
    assert "12.00" in (await in_db(lambda: Replay.objects.get(radius=new, verdict="otherwise"))).text
    assert not await in_db(Article.objects.filter(slug="sand-pegs").exists)


@pytest.mark.django_db(transaction=True)
def test_a_draft_is_seen_by_nobody_else_not_even_in_this_process() -> None:
    """Readers search in other threads, before, while and after a draft is laid, and after its rollback."""
    article = article_save(
        slug="return-an-item",
        title="Return an item",
        category="billing",
        body="You can return an unused item within 30 days of delivery.",
        status="published",
        embed=False,
    )
    question, draft = "How long can I return an unused item?", draft_of(article)
    draft["body"] = draft["body"].replace("30", "14")
    laid, over = threading.Event(), threading.Event()
    seen: list[str] = []

    def reads() -> None:
        seen.append(_found(question))
        while not over.is_set():
            seen.append(_found(question))
            laid.wait(0.01)

    readers = [threading.Thread(target=in_a_thread, args=(reads,)) for _ in range(2)]
    for reader in readers:
        reader.start()
    version = SearchIndex.objects.get().version
    for _ in range(3):
        with as_if_saved(draft):
            laid.set()
            assert "14 days" in _found(question)
            assert "14 days" in _found(question)
        assert "30 days" in _found(question)
    with pytest.raises(RuntimeError), as_if_saved(draft):
        raise RuntimeError("whatever happens meanwhile")
    over.set()
    for reader in readers:
        reader.join()
    assert len(seen) > 4
    assert all("30 days" in text and "14" not in text for text in seen)
    assert SearchIndex.objects.get().version == version
    assert "30 days" in ArticleSection.objects.get().text


def in_a_thread(work: Any) -> None:
    from django.db import connection

    try:
        work()
    finally:
        connection.close()


def _found(question: str) -> str:
    hits = search(question, readers=EVERYONE)
    return hits[0].text if hits else ""


async def test_customers_are_served_the_live_article_while_a_radius_runs(desk: Desk) -> None:
    await desk.ask(RETURNS)
    change = await in_db(drafted, "return-an-item", "within 30 days", "within 14 days")
    running = asyncio.create_task(desk.under(**change))
    told = []
    while not running.done():
        turn = await desk.ask(RETURNS)
        told.append(await in_db(lambda turn=turn: turn.steps.filter(kind="tool_call").first().output))  # type: ignore[misc]
    assert (await running).state == RunState.DONE
    assert told
    assert all("30 days" in str(result) and "14 days" not in str(result) for result in told)
