"""The desk's public pages."""

from __future__ import annotations

from django.urls import path

from tickets.views import help as help_pages

urlpatterns = [
    path("help/", help_pages.home, name="help"),
    path("help/<slug:slug>/", help_pages.article, name="help_article"),
]
