"""Nobody is answered from an article that is not theirs: not by a search, not by the fast path, not from what was said
while it still was.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from support_agent.models import ConversationMemory, ToolCall
from support_agent.runtime.history import article_score_of, turn_input
from support_agent.runtime.withheld import Withheld, withheld_in
from tests.fakes.replies import calls, plans, says
from tests.runtime.conftest import Rig
from tests.runtime.test_answers import PLAN
from tickets.audience import readers_of
from tickets.db import in_db
from tickets.models import Article, Conversation, Customer
from tickets.services.articles import article_save

ASKED = "Please tell me about the secret lounge of the members, and everything that you know of it"
SECRET = "The lounge is behind the blue door; knock twice."


def lounge(audience: str = "plus") -> Article:
    return article_save(
        slug="members-lounge", title="Members lounge", category="product", body=SECRET, status="published",
        keywords=["lounge"], audience=audience,
    )  # fmt: skip


@pytest.fixture
def article(transactional_db: None, settings: Settings) -> Article:
    settings.EMBEDDER = "none"
    return lounge()


def asked_of(rig: Rig) -> str:
    """Everything the model was ever shown."""
    return json.dumps(rig.api.requests, default=str)


async def ask(rig: Rig, conversation: Conversation, answer: str) -> Any:
    rig.model.add(plans(PLAN), calls("search_knowledge_base", {"query": "members lounge"}), says(answer))
    return await rig.ask(conversation, ASKED)


async def test_a_stranger_and_another_plan_find_nothing(rig: Rig, article: Article) -> None:
    for customer in (None, rig.cast.owner, rig.cast.business):
        await ask(rig, await rig.begin(customer), "I found nothing about that.")
    statuses = await in_db(lambda: set(ToolCall.objects.values_list("status", flat=True)))
    assert statuses == {"not_found"}
    assert "blue door" not in asked_of(rig)


async def test_the_members_answer_has_it_and_a_later_stranger_does_not(rig: Rig, article: Article) -> None:
    conversation = await rig.begin(rig.cast.other)
    await ask(rig, conversation, f"{SECRET} [1]")
    message = await rig.answer(conversation)
    assert [source["url"] for source in message["sources"]] == ["/help/members-lounge/"]
    await ask(rig, await rig.begin(), "I found nothing about that.")
    last = await in_db(lambda: ToolCall.objects.order_by("-created_at")[0].status)
    assert last == "not_found"


async def test_a_conversation_verified_later_is_answered_from_then_on(rig: Rig, article: Article) -> None:
    conversation = await rig.begin()
    await ask(rig, conversation, "I found nothing about that.")
    await in_db(lambda: Conversation.objects.filter(pk=conversation.pk).update(customer=rig.cast.other))
    await ask(rig, conversation, f"{SECRET} [1]")
    assert (await rig.answer(conversation))["sources"]


@pytest.mark.parametrize("loss", ["plan", "audience", "identity"])
@pytest.mark.parametrize("cited", [True, False])
async def test_from_the_next_turn_on_nothing_of_it_is_left(rig: Rig, article: Article, loss: str, cited: bool) -> None:
    conversation = await rig.begin(rig.cast.other)
    await ask(rig, conversation, f"{SECRET} [1]" if cited else "It is behind the blue door, as far as I know.")
    written = {"summary": "They were told of the blue door.", "upto_seq": 999, "facts": ["blue door"]}
    await in_db(lambda: ConversationMemory.objects.create(conversation=conversation, **written))

    def lose() -> None:
        if loss == "plan":
            Customer.objects.filter(pk=rig.cast.other.pk).update(plan="free")
        elif loss == "audience":
            lounge("enterprise")
        else:
            Conversation.objects.filter(pk=conversation.pk).update(customer=None)

    await in_db(lose)
    before = len(rig.api.requests)
    turn = await ask(rig, conversation, "I found nothing about that.")
    shown = json.dumps(rig.api.requests[before:], default=str)
    assert "blue door" not in shown
    start = await in_db(lambda: turn_input(type(turn).objects.select_related("conversation__customer").get(pk=turn.pk)))
    assert "blue door" not in " ".join(start.evidence)
    assert (await in_db(lambda: conversation.messages.filter(text__contains="blue door").count())) == 1, (
        "theirs to read"
    )


async def test_the_fast_path_does_not_know_it(rig: Rig, article: Article) -> None:
    question = "What is the members lounge?"
    assert await in_db(article_score_of, question, readers_of(None)) == 0
    assert await in_db(article_score_of, question, readers_of(rig.cast.other)) > 0.8
    assert await in_db(article_score_of, "members lounge", readers_of(rig.cast.other)) == 0, "no question"


async def test_a_long_thread_is_not_read_again_with_each_turn(rig: Rig, article: Article) -> None:
    """Of earlier searches only those that found what is hidden come back, and of those only addresses."""
    conversation = await rig.begin(rig.cast.owner)
    await ask(rig, conversation, "I found nothing about that.")

    def looked() -> tuple[int, Withheld]:
        turn = ToolCall.objects.filter(conversation=conversation).latest("created_at").turn_id
        for n in range(30):
            url = "/help/members-lounge/" if n == 7 else f"/help/other-{n}/"
            found = {"results": [{"url": url, "text": "x" * 5000}]}
            ToolCall.objects.create(
                conversation=conversation, turn_id=turn, tool="search_knowledge_base", arguments={}, result=found,
                idempotency_key=f"long-{n}", status="success",
            )  # fmt: skip
        read = 0

        def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal read
            result = execute(sql, params, many, context)
            read += context["cursor"].rowcount if "support_agent_toolcall" in sql else 0
            assert 'AS "result"' not in sql  # whole results, five thousand characters each
            return result

        with connection.execute_wrapper(counting):
            withheld = withheld_in(conversation, [])
        return read, withheld

    read, withheld = await in_db(looked)
    assert read == 1
    assert withheld.urls == {"/help/members-lounge/"}
    assert len(withheld.turns) == 1
