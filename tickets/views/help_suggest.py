"""Suggestions while a search is typed: a fragment for the list below the field."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from tickets.selectors.suggestions import suggestions
from tickets.views.help import asked, read_query


@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """`?q=` so far and `?category=` as for the search itself. A browser may keep it for a minute."""
    query, category = read_query(request)
    found = suggestions(query, category=category or None) if query else []
    context = {"query": query, "category": category, "suggestions": found, "ask": asked(query)}
    response = render(request, "help/suggestions.html", context)
    response["Cache-Control"] = "private, max-age=60"
    response["X-Robots-Tag"] = "noindex"
    return response
