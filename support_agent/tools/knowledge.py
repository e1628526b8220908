"""Searching the help centre."""

from __future__ import annotations

from typing import Literal

from django.utils.translation import gettext_lazy
from pydantic import Field

from support_agent.agent.toolkit import Arguments, Category, Status, Tool, ToolContext, ToolError, ToolResult
from support_agent.tools.common import customer_of, guarded, success
from tickets.audience import readers_of
from tickets.languages import language_of
from tickets.search import search
from tickets.selectors.articles import articles_by_words

TOP, LOOKED_AT = 5, 12
MAX_SNIPPET = 900
NOTHING = "The help centre has nothing about that."


class SearchKnowledgeBase(Arguments):
    query: str = Field(description="What to look for, in a few words.", min_length=2, max_length=300)
    category: Literal["billing", "technical", "account", "product"] | None = Field(
        default=None, description="Leave out unless it is certain."
    )


@guarded
def search_knowledge_base(context: ToolContext, arguments: SearchKnowledgeBase) -> ToolResult:
    language = language_of(context.locale)
    readers = readers_of(customer_of(context))
    hits = search(arguments.query, readers=readers, category=arguments.category, limit=LOOKED_AT, language=language)
    if not hits:
        return ToolResult(Status.NOT_FOUND, {"message": NOTHING})
    return success(
        results=[
            {
                "n": number,
                "title": hit.title,
                "url": hit.url,
                "category": hit.category,
                "section": hit.section,
                "summary": hit.summary,
                "snippet": _cut(hit.text),
                "score": round(hit.score, 3),
            }
            for number, hit in enumerate(hits[:TOP], start=1)
        ],
        more=max(len(hits) - TOP, 0),
    )


def search_by_words(context: ToolContext, arguments: SearchKnowledgeBase) -> ToolResult:
    """The lesser way, while the search itself fails: titles and summaries that share the question's words."""
    found = articles_by_words(arguments.query, readers=readers_of(customer_of(context)), limit=TOP)
    if not found:
        raise ToolError("The help centre could not be searched just now.", retryable=True)
    return success(
        results=[
            {
                "n": number,
                "title": article.title,
                "url": article.get_absolute_url(),
                "category": article.category,
                "section": "",
                "snippet": article.summary,
                "summary": article.summary,
            }
            for number, article in enumerate(found, start=1)
        ],
        more=0,
    )


def _cut(text: str) -> str:
    """At most MAX_SNIPPET characters, to the end of a sentence where there is one."""
    if len(text) <= MAX_SNIPPET:
        return text
    head = text[:MAX_SNIPPET]
    end = max(head.rfind(mark) for mark in (". ", "! ", "? ", ".\n"))
    return head[: end + 1] if end > MAX_SNIPPET // 2 else head.rsplit(" ", 1)[0] + " …"


TOOLS = [
    Tool(
        name="search_knowledge_base",
        description=(
            "Search the help centre: policies, prices of services, shipping, returns, payments, plans, how-to and "
            "troubleshooting of our products. Use when the answer is general, and before stating any policy, figure "
            "or instruction; cite the results by their n. Do not use when the question is about this customer's own "
            "order or account, or for greetings and thanks."
        ),
        arguments=SearchKnowledgeBase,
        run=search_knowledge_base,
        category=Category.SEARCH,
        label=gettext_lazy("Searching the help centre …"),
        fallbacks=(search_by_words,),
    )
]
