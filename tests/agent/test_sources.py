"""Sources are numbered through a turn, whichever search found them, and only cited ones reach the customer."""

from __future__ import annotations

import json

from support_agent.agent.types import Json
from tests.agent.ports import plans, reply, says, use, world


def found(*slugs: str) -> Json:
    """A search's own numbering begins at 1."""
    hits = [
        {"n": n, "title": slug, "url": f"/help/{slug}/", "snippet": f"All about {slug}."}
        for n, slug in enumerate(slugs, 1)
    ]
    return {"status": "success", "results": hits, "more": 0}


def search(id: str) -> Json:
    return use("search_knowledge_base", id, query=id)


async def test_parallel_and_later_searches_share_one_numbering() -> None:
    results = {"search_knowledge_base": [found("a", "b"), found("c", "a"), found("d")]}
    at = world(plans(), reply(search("x"), search("y")), reply(search("z")), says("See [3] and [1]."), results=results)
    outcome = await at.run()
    read = [
        json.loads(block["content"])
        for m in at.asked[-1].messages
        for block in m["content"]
        if isinstance(block, dict) and block["type"] == "tool_result"
    ]
    assert [[hit["n"] for hit in result["results"]] for result in read] == [[1, 2], [3, 1], [4]]
    assert [(s["n"], s["url"]) for s in outcome.sources] == [(1, "/help/a/"), (3, "/help/c/")]


async def test_a_number_that_no_search_gave_is_asked_again() -> None:
    at = world(plans(), reply(search("x")), says("So it is [2]."), says("So it is [1]."))
    at.results = {"search_knowledge_base": found("a")}
    outcome = await at.run()
    assert (outcome.text, [s["n"] for s in outcome.sources]) == ("So it is [1].", [1])


async def test_a_search_that_finds_nothing() -> None:
    at = world(plans(), reply(search("x")), says("I found nothing about that."))
    at.results = {"search_knowledge_base": {"status": "not_found", "message": "Nothing."}}
    assert (await at.run()).sources == []
