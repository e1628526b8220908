"""Cut and weigh every article anew and make the vectors that are missing; safe at any time, safe to repeat."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.progress import Progress

from tickets.demo.articles import keep_vectors
from tickets.models import Article, ArticleSection
from tickets.search import embedder_status
from tickets.search.embedder import get_embedder
from tickets.services.articles import article_index, articles_embed, terms_recount


class Command(BaseCommand):
    help = "Index every help-centre article for search: words, vocabulary and vectors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the figures as JSON, without progress")
        parser.add_argument("--keep-demo-vectors", action="store_true", help="refresh the demo's file of vectors")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        with Progress(disable=options["json"] or not self.stdout.isatty()) as progress:
            made = _index(progress)
        if options["keep_demo_vectors"]:
            keep_vectors()
        figures = {
            "articles": Article.objects.filter(status=Article.Status.PUBLISHED).count(),
            "sections": ArticleSection.objects.count(),
            "vectors_made": made,
            "seconds": round(time.monotonic() - began, 1),
        }
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        self.stdout.write(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in figures.items()))
        self.stdout.write(embedder_status()[1])


def _index(progress: Progress) -> int:
    articles = Article.objects.all()
    task = progress.add_task("Articles", total=articles.count())
    for article in articles.iterator(chunk_size=200):
        article_index(article=article, embed=False)
        progress.advance(task)
    terms_recount()
    embedder = get_embedder()
    missing = 0
    if embedder:
        understood = ArticleSection.objects.filter(language__in=embedder.languages)
        missing = understood.exclude(embedder=embedder.name).count()
    task = progress.add_task("Vectors", total=missing)
    made = 0
    for count in articles_embed():
        made += count
        progress.advance(task, count)
    return made
