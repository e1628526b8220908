"""Was this article helpful? One answer of a browser for an article, changeable, by a form or in place."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tickets.audience import Readers
from tickets.models import Article
from tickets.selectors.article_feedback import feedback_by_id
from tickets.selectors.articles import published_articles
from tickets.services.article_feedback import article_feedback_give
from tickets.views.readers import for_readers

SESSION_KEY = "article_feedback"  # {article's id: id of the answer}; the answer itself knows of no browser
MOST = 200
ANSWERS = {"yes": True, "no": False}


@require_POST
@for_readers
def feedback(request: HttpRequest, readers: Readers, slug: str) -> HttpResponse:
    """`helpful` is yes or no, `comment` may come with a no. Scripts get the box anew, forms the page."""
    article = get_object_or_404(published_articles(readers), slug=slug)
    if (answer := request.POST.get("helpful", "")) not in ANSWERS:
        raise BadRequest("helpful is yes or no")
    given = dict(request.session.get(SESSION_KEY, {}))
    row = article_feedback_give(
        article=article,
        helpful=ANSWERS[answer],
        comment=request.POST.get("comment"),
        earlier=given.pop(str(article.pk), None),
    )
    given[str(article.pk)] = str(row.pk)
    request.session[SESSION_KEY] = dict(list(given.items())[-MOST:])
    if request.headers.get("X-Fragment"):
        return render(request, "help/feedback.html", {"article": article, "feedback": row})
    return redirect(f"{article.get_absolute_url()}#feedback")


def feedback_context(session: SessionBase, article: Article) -> dict[str, Any]:
    """What this browser said about the article before."""
    return {"feedback": feedback_by_id(article, session.get(SESSION_KEY, {}))}
