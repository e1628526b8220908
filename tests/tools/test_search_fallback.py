"""While the search itself fails, titles and summaries still answer, and the answer says that it is less."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from support_agent.tools import ALL
from support_agent.tools.knowledge import SearchKnowledgeBase
from tickets.models import Article
from tickets.selectors.articles import articles_by_words


@pytest.fixture
def shelf(db: None) -> None:
    for slug, title, status in (
        ("return-an-item", "Return an item", "published"),
        ("track-your-order", "Track your order", "published"),
        ("return-secret", "Return secret draft", "draft"),
    ):
        Article.objects.create(slug=slug, title=title, status=status, category="product", body="…", summary=title)


def test_the_words_of_a_question_find_titles(shelf: None) -> None:
    assert [a.slug for a in articles_by_words("how do I return an item?")] == ["return-an-item"]
    assert articles_by_words("?!") == []
    assert articles_by_words("quantum chromodynamics lecture") == []


def test_it_takes_one_query(shelf: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        articles_by_words("where can I track the order I made")
    assert len(queries) == 1


def test_the_tool_has_it_as_its_lesser_way(shelf: None) -> None:
    [lesser] = ALL["search_knowledge_base"].fallbacks
    with patch("support_agent.tools.knowledge.search", side_effect=RuntimeError):
        result = lesser(None, SearchKnowledgeBase(query="return an item"))  # type: ignore[arg-type]
    assert [hit["url"] for hit in result.data["results"]] == ["/help/return-an-item/"]
