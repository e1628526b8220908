"""The help centre's jobs: an id in, read again, safe to run twice."""

from __future__ import annotations


def embed_article(article_id: str) -> None:
    """Compute the vectors that the article's sections lack."""
    from tickets.services.articles import articles_embed  # the service enqueues this job

    for _ in articles_embed(articles=[article_id]):
        pass
