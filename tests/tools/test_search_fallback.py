"""While the search itself fails, titles and summaries still answer, and the answer says that it is less."""

from __future__ import annotations

from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from support_agent.agent.toolkit import ToolContext
from support_agent.tools import ALL
from support_agent.tools.knowledge import SearchKnowledgeBase
from tickets.audience import EVERYONE
from tickets.models import Article
from tickets.selectors.articles import articles_by_words

STRANGER = ToolContext(
    conversation_id=UUID(int=0), turn_id=UUID(int=0), customer_id=None, locale="en", idempotency_key=""
)


@pytest.fixture
def shelf(db: None) -> None:
    for slug, title, status in (
        ("return-an-item", "Return an item", "published"),
        ("track-your-order", "Track your order", "published"),
        ("return-secret", "Return secret draft", "draft"),
    ):
        Article.objects.create(slug=slug, title=title, status=status, category="product", body="…", summary=title)


def test_the_words_of_a_question_find_titles(shelf: None) -> None:
    assert [a.slug for a in articles_by_words("how do I return an item?", readers=EVERYONE)] == ["return-an-item"]
    assert articles_by_words("?!", readers=EVERYONE) == []
    assert articles_by_words("quantum chromodynamics lecture", readers=EVERYONE) == []


def test_it_takes_one_query(shelf: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        articles_by_words("where can I track the order I made", readers=EVERYONE)
    assert len(queries) == 1


def test_the_tool_has_it_as_its_lesser_way(shelf: None) -> None:
    [lesser] = ALL["search_knowledge_base"].fallbacks
    with patch("support_agent.tools.knowledge.search", side_effect=RuntimeError):
        result = lesser(STRANGER, SearchKnowledgeBase(query="return an item"))
    assert [hit["url"] for hit in result.data["results"]] == ["/help/return-an-item/"]
