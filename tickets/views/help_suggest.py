"""Suggestions while a search is typed: a fragment for the list below the field."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tickets.audience import Readers
from tickets.selectors.suggestions import suggestions
from tickets.views.help import asked, read_query
from tickets.views.readers import for_readers


@require_safe
@for_readers
def suggest(request: HttpRequest, readers: Readers) -> HttpResponse:
    """`?q=` so far and `?category=` as for the search itself. A stranger's browser may keep it for a minute."""
    query, category = read_query(request)
    found = suggestions(query, readers=readers, category=category or None) if query else []
    context = {"query": query, "category": category, "suggestions": found, "ask": asked(query)}
    response = render(request, "help/suggestions.html", context)
    response["Cache-Control"] = "private, max-age=60"
    response["X-Robots-Tag"] = "noindex"
    return response
